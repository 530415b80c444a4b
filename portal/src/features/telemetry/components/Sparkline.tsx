import type { Curve } from "@/charts/axis";
import classes from "./Telemetry.module.css";

const [width, height] = [240, 36];
const columns = 120;

/** A curve as small as a word, without axes; drawn as one path. */
export function Sparkline({ curve, span }: { curve: Curve; span: readonly [number, number] }) {
  const finite = curve.y.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const tall = high - low || 1;
  let path = "";
  let pen = "M";
  let column = -1;
  for (const [index, x] of curve.x.entries()) {
    const y = curve.y[index] ?? Number.NaN;
    if (!Number.isFinite(y)) {
      pen = "M";
      continue;
    }
    const share = (x - span[0]) / (span[1] - span[0]);
    const here = Math.floor(share * columns);
    // What would stand in the same place is left out; only the line's run matters here.
    if (here === column && pen === "L") continue;
    column = here;
    path += `${pen}${(share * width).toFixed(1)} ${(height - 3 - ((y - low) / tall) * (height - 6)).toFixed(1)}`;
    pen = "L";
  }
  return (
    <svg
      className={classes.spark}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path
        d={path}
        fill="none"
        stroke="var(--rb-accent)"
        strokeWidth={1.5}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
