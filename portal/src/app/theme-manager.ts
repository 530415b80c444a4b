import type { MantineColorSchemeManager } from "@mantine/core";
import { onPreferencesChange, preferences, setPreferences } from "@/ui/preferences";

let unsubscribe: (() => void) | null = null;

/** Lets Mantine read and write the theme where all other preferences are kept. */
export const themeManager: MantineColorSchemeManager = {
  get: () => preferences().theme,
  set: (theme) => {
    if (theme !== preferences().theme) setPreferences({ theme });
  },
  subscribe: (onUpdate) => {
    let last = preferences().theme;
    unsubscribe = onPreferencesChange(() => {
      const { theme } = preferences();
      if (theme !== last) {
        last = theme;
        onUpdate(theme);
      }
    });
  },
  unsubscribe: () => unsubscribe?.(),
  clear: () => setPreferences({ theme: "auto" }),
};
