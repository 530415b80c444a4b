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
  goExperiments: { keys: "KeyG KeyX", label: msg`Experiments`, group: "go" },
  goRuns: { keys: "KeyG KeyR", label: msg`Runs`, group: "go" },
  goSensors: { keys: "KeyG KeyE", label: msg`Sensors`, group: "go" },
  goProfile: { keys: "KeyG KeyU", label: msg`Your profile`, group: "go" },
  rename: { keys: "KeyE", label: msg`Rename what the page shows`, group: "general" },
  rowNext: { keys: "KeyJ", label: msg`Next row`, group: "table" },
  rowPrevious: { keys: "KeyK", label: msg`Previous row`, group: "table" },
  rowSelect: { keys: "KeyX", label: msg`Select the row`, group: "table" },
  rowExtendDown: { keys: "Shift+KeyJ", label: msg`Select down to the next row`, group: "table" },
  rowExtendUp: { keys: "Shift+KeyK", label: msg`Select up to the previous row`, group: "table" },
  rowHide: { keys: "KeyH", label: msg`Hide the run from charts, or show it`, group: "table" },
  rowPin: { keys: "KeyP", label: msg`Keep the run on top, or no longer`, group: "table" },
  rowBase: { keys: "KeyB", label: msg`Measure the others against the run`, group: "table" },
  layoutTable: { keys: "Digit1", label: msg`Runs: the table alone`, group: "table" },
  layoutSplit: { keys: "Digit2", label: msg`Runs: table and charts`, group: "table" },
  layoutCharts: { keys: "Digit3", label: msg`Runs: the charts alone`, group: "table" },
  leave: { keys: "Escape", label: msg`Clear the selection`, group: "table" },
  rowOpen: { keys: "Enter", label: msg`Open the row`, group: "table" },
  chartPrevious: { keys: "ArrowLeft", label: msg`Read the previous point`, group: "chart" },
  chartNext: {
    keys: "ArrowRight",
    label: msg`Read the next point (with ⇧ ten further)`,
    group: "chart",
  },
  chartZoomIn: { keys: "Equal", label: msg`Zoom in`, group: "chart" },
  chartZoomOut: { keys: "Minus", label: msg`Zoom out`, group: "chart" },
  chartEverything: { keys: "Digit0", label: msg`Show everything`, group: "chart" },
  chartPanLeft: { keys: "BracketLeft", label: msg`Move to the left`, group: "chart" },
  chartPanRight: { keys: "BracketRight", label: msg`Move to the right`, group: "chart" },
  chartFollow: { keys: "KeyL", label: msg`Follow live points`, group: "chart" },
  chartSmoothing: { keys: "KeyS", label: msg`Change the smoothing`, group: "chart" },
  chartLogarithmic: { keys: "KeyY", label: msg`Logarithmic scale`, group: "chart" },
  chartMaximise: { keys: "KeyF", label: msg`Fill the window`, group: "chart" },
  chartPlaceA: { keys: "KeyA", label: msg`Measure from here (A)`, group: "chart" },
  chartPlaceB: { keys: "KeyB", label: msg`Measure up to here (B)`, group: "chart" },
  chartTable: { keys: "KeyD", label: msg`Show the points as a table`, group: "chart" },
} as const satisfies Record<string, ShortcutEntry>;

export type ShortcutId = keyof typeof shortcutCatalogue;
