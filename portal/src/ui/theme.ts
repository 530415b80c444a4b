/** Runbench's look: graphite neutrals, one petrol accent, dense controls, IBM Plex. */

import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const petrol: MantineColorsTuple = [
  "#e8f5f5",
  "#cde9e9",
  "#a1d5d6",
  "#6dbec1",
  "#41a6ab",
  "#228f96",
  "#0f767e",
  "#0b646b",
  "#085157",
  "#053e43",
];

const gray: MantineColorsTuple = [
  "#f5f7f8",
  "#ecf0f2",
  "#dee4e8",
  "#cad2d8",
  "#aab5bd",
  "#7f8b95",
  "#56626c",
  "#414b54",
  "#2b343b",
  "#161d23",
];

// Mantine's own tones of these miss 4.5:1 as text on their light tint.
const red: MantineColorsTuple = [
  "#fdeeea",
  "#fbdad3",
  "#f6b3a5",
  "#f18a74",
  "#e9654b",
  "#d8462b",
  "#bf2f1c",
  "#a32515",
  "#861d10",
  "#6e170c",
];

const teal: MantineColorsTuple = [
  "#e8f7ef",
  "#d2efdf",
  "#a3dfc0",
  "#6fcc9d",
  "#41b87d",
  "#1f9c62",
  "#0f804c",
  "#0b6a3f",
  "#085633",
  "#054528",
];

const yellow: MantineColorsTuple = [
  "#fdf6e3",
  "#fbebc0",
  "#f5d98b",
  "#eec355",
  "#e6ad2e",
  "#c48a12",
  "#996700",
  "#7d5300",
  "#654200",
  "#523500",
];

const dark: MantineColorsTuple = [
  "#d7dde2",
  "#b8c1c9",
  "#9aa6b0",
  "#74808a",
  "#36424c",
  "#27323a",
  "#1d262d",
  "#161d23",
  "#0f1418",
  "#090d10",
];

const sans =
  '"IBM Plex Sans Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const mono = '"IBM Plex Mono", ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace';

export const theme = createTheme({
  primaryColor: "petrol",
  primaryShade: { light: 6, dark: 6 },
  autoContrast: true,
  colors: { petrol, gray, dark, red, teal, yellow },
  fontFamily: sans,
  fontFamilyMonospace: mono,
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.125rem" },
  lineHeights: { xs: "1.35", sm: "1.4", md: "1.5", lg: "1.5", xl: "1.5" },
  headings: {
    fontFamily: sans,
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.375rem", lineHeight: "1.3" },
      h2: { fontSize: "1.0625rem", lineHeight: "1.4" },
      h3: { fontSize: "0.9375rem", lineHeight: "1.4" },
      h4: { fontSize: "0.875rem", lineHeight: "1.4" },
    },
  },
  spacing: { xs: "0.5rem", sm: "0.75rem", md: "1rem", lg: "1.5rem", xl: "2.25rem" },
  radius: { xs: "3px", sm: "5px", md: "8px", lg: "12px", xl: "20px" },
  defaultRadius: "sm",
  cursorType: "pointer",
  respectReducedMotion: true,
  focusRing: "auto",
  // Plain objects instead of Component.extend(): the theme is loaded first and must not bring the
  // components along.
  components: {
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: "md" } },
    Badge: { defaultProps: { tt: "none", fw: 500, radius: "sm" } },
    Button: { defaultProps: { size: "sm" } },
    InputWrapper: {
      defaultProps: { inputWrapperOrder: ["label", "description", "input", "error"] },
    },
    Loader: { defaultProps: { size: "sm" } },
    Menu: { defaultProps: { shadow: "md", position: "bottom-end" } },
    Modal: { defaultProps: { centered: true } },
    Paper: { defaultProps: { radius: "md" } },
    Select: { defaultProps: { allowDeselect: false, checkIconPosition: "right" } },
    Tooltip: { defaultProps: { openDelay: 350 } },
  },
});

/** Our own variables (`--rb-…`) and the Mantine ones whose defaults miss WCAG AA on these neutrals. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {
    "--rb-rail": "13.75rem",
    "--rb-rail-narrow": "3.25rem",
    "--rb-bar": "3rem",
  },
  light: {
    "--rb-page": gray[0],
    "--rb-surface": "#ffffff",
    "--rb-sunken": gray[1],
    "--rb-line": gray[2],
    "--rb-control-line": gray[5],
    "--rb-accent": petrol[7],
    "--rb-accent-soft": petrol[0],
    "--rb-running": "#0a6aa6",
    "--rb-succeeded": "#0b7a45",
    "--rb-failed": "#bf2f1c",
    "--rb-interrupted": "#8f5b00",
    "--rb-quiet": gray[6],
    "--mantine-color-text": gray[9],
    "--mantine-color-dimmed": gray[6],
    "--mantine-color-placeholder": gray[6],
    "--mantine-color-anchor": petrol[7],
    "--mantine-color-error": "#bf2f1c",
    "--mantine-color-default-border": gray[3],
    "--mantine-color-gray-light-color": gray[7],
  },
  dark: {
    "--rb-page": dark[8],
    "--rb-surface": dark[7],
    "--rb-sunken": "#12181d",
    "--rb-line": "#29343c",
    "--rb-control-line": dark[3],
    "--rb-accent": petrol[3],
    "--rb-accent-soft": "#12343a",
    "--rb-running": "#62b5ee",
    "--rb-succeeded": "#4cc38a",
    "--rb-failed": "#ff8b73",
    "--rb-interrupted": "#e6b450",
    "--rb-quiet": dark[2],
    "--mantine-color-text": dark[0],
    "--mantine-color-dimmed": dark[2],
    "--mantine-color-placeholder": dark[2],
    "--mantine-color-anchor": petrol[3],
    "--mantine-color-error": "#ff8b73",
    "--mantine-color-default-border": dark[4],
    "--mantine-color-petrol-light": "#12343a",
    "--mantine-color-petrol-light-color": petrol[2],
    "--mantine-color-teal-light": "#10301f",
    "--mantine-color-teal-light-color": teal[3],
    "--mantine-color-red-light": "#3a1a14",
    "--mantine-color-red-light-color": red[2],
    "--mantine-color-yellow-light": "#33270f",
    "--mantine-color-yellow-light-color": yellow[3],
  },
});
