import { useComputedColorScheme } from "@mantine/core";
import { seriesStyle } from "@/ui/palette";

/** The line by which charts draw a run; a grey ring where they do not draw it. */
export function Swatch({ look }: { look: number | undefined }) {
  const scheme = useComputedColorScheme("light");
  if (look === undefined) {
    return (
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
        <circle cx="7" cy="7" r="4.5" fill="none" stroke="var(--rb-control-line)" />
      </svg>
    );
  }
  const { color, dash } = seriesStyle(look, scheme);
  return (
    <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <circle
        cx="7"
        cy="7"
        r="4.5"
        fill={dash.length === 0 ? color : "none"}
        stroke={color}
        strokeWidth="2.5"
        strokeDasharray={dash.length === 0 ? undefined : dash.map((part) => part / 2.5).join(" ")}
      />
    </svg>
  );
}
