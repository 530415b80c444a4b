/** Loads the chosen language. Catalogs are compiled from the .po files by the bundler. */

import { i18n, type Messages } from "@lingui/core";
import type { Language } from "@/ui/preferences";

type Catalog = Record<Language, () => Promise<{ messages: Messages }>>;

const general: Catalog = {
  en: () => import("@/locales/en.po"),
  ru: () => import("@/locales/ru.po"),
};

/** Texts of screens that are not on the first page. */
const later = {
  charts: {
    en: () => import("@/locales/charts/en.po"),
    ru: () => import("@/locales/charts/ru.po"),
  },
  files: {
    en: () => import("@/locales/files/en.po"),
    ru: () => import("@/locales/files/ru.po"),
  },
  people: {
    en: () => import("@/locales/people/en.po"),
    ru: () => import("@/locales/people/ru.po"),
  },
  telemetry: {
    en: () => import("@/locales/telemetry/en.po"),
    ru: () => import("@/locales/telemetry/ru.po"),
  },
} satisfies Record<string, Catalog>;

export type LaterTexts = keyof typeof later;

const wanted = new Set<LaterTexts>();
/** What has been added, by language and name. */
const added = new Set<string>();

export async function activate(language: Language): Promise<void> {
  if (i18n.locale === language) return;
  const parts = await Promise.all([
    general[language](),
    ...[...wanted].map((name) => later[name][language]()),
  ]);
  const messages = Object.assign({}, ...parts.map((part) => part.messages));
  for (const name of wanted) added.add(`${language}/${name}`);
  i18n.loadAndActivate({ locale: language, messages });
  document.documentElement.lang = language;
}

/** Fetches more texts, before the screen that shows them; from then on they come with every language. */
export async function addTexts(...names: LaterTexts[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      wanted.add(name);
      const language = i18n.locale as Language;
      if (added.has(`${language}/${name}`)) return;
      const { messages } = await later[name][language]();
      added.add(`${language}/${name}`);
      i18n.load(language, messages);
    }),
  );
}
