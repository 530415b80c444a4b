/**
 * Colours for data, safe for the common colour vision deficiencies (after Okabe–Ito and Tol, darkened or
 * lightened until each has at least 3:1 against its background). A ninth series repeats the colours with
 * the next dash, so no two of the first 32 look alike.
 */

export type Scheme = "light" | "dark";

export const seriesColors: Record<Scheme, readonly string[]> = {
  light: ["#0072b2", "#c8500a", "#00805d", "#b0478a", "#a06a00", "#2a86c4", "#6b3fa0", "#5a6670"],
  dark: ["#56b4e9", "#ff8a4c", "#2fc49a", "#e58abb", "#e6b422", "#8fb8ff", "#b99af0", "#b4bdc5"],
};

/** Canvas dash patterns; the first is a solid line. */
export const seriesDashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

export const colorCount = seriesColors.light.length;

/** How many series in a row look different from each other. */
export const lookCount = colorCount * seriesDashes.length;

export type SeriesStyle = { color: string; dash: readonly number[] };

/** The look of the series at `index` (0-based, any size). */
export function seriesStyle(index: number, scheme: Scheme): SeriesStyle {
  const colors = seriesColors[scheme];
  const color = colors[index % colors.length] ?? "#000000";
  const dash = seriesDashes[Math.floor(index / colors.length) % seriesDashes.length] ?? [];
  return { color, dash };
}
