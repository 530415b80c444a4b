/** Every shortcut there is. A page can only react to one that stands here, so `?` always lists them all. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";

/**
 * Keys are physical (`event.code`), so they stay in place on a Russian keyboard. `Mod` is Ctrl, or Cmd on
 * a Mac. A blank stands between keys that are pressed one after another.
 */
export type ShortcutEntry = { keys: string; label: MessageDescriptor; group: ShortcutGroup };

export type ShortcutGroup = "general" | "go" | "table" | "chart";

export const shortcutGroups: Record<ShortcutGroup, MessageDescriptor> = {
  general: msg`Everywhere`,
  go: msg`Go to`,
  table: msg`In tables`,
  chart: msg`In charts`,
};

export const shortcutCatalogue = {
  palette: { keys: "Mod+KeyK", label: msg`Open the command palette`, group: "general" },
  help: { keys: "Shift+Slash", label: msg`Show keyboard shortcuts`, group: "general" },
  filter: { keys: "Slash", label: msg`Move to the search field`, group: "general" },
  theme: { keys: "Shift+KeyT", label: msg`Switch between light and dark`, group: "general" },
  goHome: { keys: "KeyG KeyH", label: msg`Home`, group: "go" },
  goProjects: { keys: "KeyG KeyP", label: msg`Projects`, group: "go" },
  goProject: { keys: "KeyG KeyO", label: msg`Project overview`, group: "go" },
  goMembers: { keys: "KeyG KeyM", label: msg`Members`, group: "go" },
  goTokens: { keys: "KeyG KeyT", label: msg`API tokens`, group: "go" },
  goSettings: { keys: "KeyG KeyS", label: msg`Project settings`, group: "go" },
  goProfile: { keys: "KeyG KeyU", label: msg`Your profile`, group: "go" },
} as const satisfies Record<string, ShortcutEntry>;

export type ShortcutId = keyof typeof shortcutCatalogue;
