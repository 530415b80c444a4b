import { defineConfig } from "orval";

// Where to write; the check for drift writes beside the committed client and compares.
const target = process.env.API_TARGET ?? "src/api/generated";

export default defineConfig({
  runbench: {
    input: { target: process.env.OPENAPI ?? "../services/api-gateway/openapi.json" },
    output: {
      client: "react-query",
      httpClient: "fetch",
      mode: "tags-split",
      target,
      schemas: `${target}/models`,
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
