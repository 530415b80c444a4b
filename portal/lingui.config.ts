import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  sourceLocale: "en",
  locales: ["en", "ru"],
  catalogs: [
    {
      path: "<rootDir>/src/locales/{locale}",
      include: ["<rootDir>/src"],
      exclude: ["**/*.test.tsx", "**/testing/**", "**/api/generated/**"],
    },
  ],
  // Without line numbers and sorted by text, two people's additions seldom touch the same lines.
  format: formatter({ lineNumbers: false }),
  orderBy: "message",
});
