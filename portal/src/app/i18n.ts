/** Loads the chosen language. Catalogs are compiled from the .po files by the bundler. */

import { i18n, type Messages } from "@lingui/core";
import type { Language } from "@/ui/preferences";

const catalogs: Record<Language, () => Promise<{ messages: Messages }>> = {
  en: () => import("@/locales/en.po"),
  ru: () => import("@/locales/ru.po"),
};

export async function activate(language: Language): Promise<void> {
  if (i18n.locale === language) return;
  const { messages } = await catalogs[language]();
  i18n.loadAndActivate({ locale: language, messages });
  document.documentElement.lang = language;
}
