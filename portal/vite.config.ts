import { lingui } from "@lingui/vite-plugin";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const sessions = process.env.AUTH_PROXY_URL ?? "http://localhost:8080";
const gateway = process.env.GATEWAY_URL ?? "http://localhost:8000";
const port = Number(process.env.PORT ?? 3000);

// The browser keeps one origin in development as in production, so cookies and CSRF rules are the
// same in both. `changeOrigin` stays off: auth-proxy compares Origin with the host people typed.
const behindSessions = { target: sessions, changeOrigin: false, ws: true };

// MLflow's clients are programs with tokens. Their requests go past auth-proxy, to the gateway, which
// drops cookies: so nothing that a browser sends by itself has any effect there, file names of any
// spelling arrive as they were written, and uploads are not held to the limits of sessions.
const programs = "^/((ajax-)?api/[0-9]\\.[0-9]/mlflow(-artifacts)?/|version$)";

const proxy = {
  [programs]: { target: gateway, changeOrigin: false },
  "/api": behindSessions,
  "/auth": behindSessions,
};

// The server that hands out the page puts a fresh number in the place of this word; the styles that
// Mantine writes into the page carry it.
const nonce = "RUNBENCH_CSP_NONCE";

// What the built portal gets along with, as the nginx of its image says it (deploy/images/nginx.conf).
// Here, where it is only tried, the number stays the word.
const contentSecurityPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  `style-src 'self' 'nonce-${nonce}'`,
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "frame-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

export default defineConfig({
  plugins: [
    tanstackRouter({
      target: "react",
      autoCodeSplitting: true,
      routesDirectory: "src/routes",
      generatedRouteTree: "src/app/routeTree.gen.ts",
      routeFileIgnorePattern: "\\.test\\.tsx$",
      quoteStyle: "double",
      semicolons: true,
    }),
    react(),
    lingui({ macroTransform: true }),
  ],
  html: { cspNonce: nonce },
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  server: { host: process.env.HOST ?? "127.0.0.1", port, strictPort: true, proxy },
  preview: {
    host: process.env.HOST ?? "127.0.0.1",
    port,
    strictPort: true,
    proxy,
    headers: { "Content-Security-Policy": contentSecurityPolicy },
  },
  build: {
    manifest: true,
    sourcemap: true,
    rolldownOptions: {
      output: {
        // Left alone, the shared code falls into a hundred small chunks that compress badly.
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            {
              name: "frame",
              test: /node_modules\/@(tanstack\/(react-)?(router|query|history|store)|lingui)/,
            },
            {
              name: "controls",
              minShareCount: 20,
              test: /node_modules\/(@mantine\/(core|hooks|notifications)|@floating-ui|react-transition-group|react-remove-scroll|react-number-format)/,
            },
            // What every page says about itself; the pages themselves (`?tsr-split`) stay apart.
            { name: "routes", test: /\/src\/routes\/[^?]+$/ },
            // What stands around every page, with all that it needs.
            { name: "shell", test: /\/src\/app\/shell\/Shell\.tsx/ },
            { name: "icons", minShareCount: 3, test: /@tabler/ },
            {
              name: "blocks",
              minShareCount: 11,
              test: /\/src\/(api|app|ui)\/(?!DataTable)|tabler-icons|@tabler/,
            },
            // Most pages have a table, but not the first.
            {
              name: "table",
              test: /\/src\/ui\/DataTable|node_modules\/@tanstack\/(react-table|table-core)\//,
            },
          ],
        },
      },
    },
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/testing/setup.ts"],
    css: false,
    // Bounds against hanging, not measures: a shared machine may be ten times slower than usual.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    restoreMocks: true,
  },
});
