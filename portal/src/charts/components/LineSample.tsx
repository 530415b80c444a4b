import type { SeriesStyle } from "@/ui/palette";

/** A short piece of a line as the chart draws it: colour and dash. */
export function LineSample({ color, dash }: SeriesStyle) {
  return (
    <svg width="22" height="10" viewBox="0 0 22 10" aria-hidden="true" style={{ flex: "none" }}>
      <line
        x1="1"
        y1="5"
        x2="21"
        y2="5"
        stroke={color}
        strokeWidth="2.25"
        strokeDasharray={dash.join(" ")}
      />
    </svg>
  );
}
