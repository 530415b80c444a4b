import { defineConfig } from "orval";

export default defineConfig({
  runbench: {
    input: { target: process.env.OPENAPI ?? "../services/api-gateway/openapi.json" },
    output: {
      client: "react-query",
      httpClient: "fetch",
      mode: "tags-split",
      target: "src/api/generated",
      schemas: "src/api/generated/models",
      clean: true,
      indexFiles: false,
      urlEncodeParameters: true,
      override: {
        mutator: { path: "src/api/http.ts", name: "request" },
        fetch: { includeHttpResponseReturnType: false },
        query: { signal: true, useInvalidate: false },
      },
    },
  },
});
