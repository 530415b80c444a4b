import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

const never = ["**/*.test.tsx", "**/testing/**", "**/api/generated/**"];
const root = "<rootDir>/src";

// Texts of screens that are opened later are fetched with them (`addTexts` of app/i18n.ts).
const later = {
  charts: [
    `${root}/charts`,
    `${root}/features/comparison`,
    `${root}/features/metrics`,
    `${root}/routes/_app/p/*/compare.tsx`,
  ],
  files: [`${root}/features/artifacts`],
  people: [
    `${root}/features/admin`,
    `${root}/features/audit`,
    `${root}/features/profile`,
    `${root}/features/webhooks`,
    `${root}/routes/_app/admin`,
    `${root}/routes/_app/p/*/webhooks.tsx`,
    `${root}/routes/_app/p/*/notifications.tsx`,
  ],
  telemetry: [
    `${root}/features/sensors`,
    `${root}/features/telemetry`,
    `${root}/routes/_app/p/*/sensors/*.tsx`,
    `${root}/routes/_app/p/*/monitor.tsx`,
  ],
};

export default defineConfig({
  sourceLocale: "en",
  locales: ["en", "ru"],
  catalogs: [
    {
      path: `${root}/locales/{locale}`,
      include: [root],
      exclude: [
        ...never,
        ...Object.values(later)
          .flat()
          .flatMap((place) => [place, `${place}/**`]),
      ],
    },
    ...Object.entries(later).map(([name, include]) => ({
      path: `${root}/locales/${name}/{locale}`,
      include,
      exclude: never,
    })),
  ],
  // Without line numbers and sorted by text, two people's additions seldom touch the same lines.
  format: formatter({ lineNumbers: false }),
  orderBy: "message",
});
