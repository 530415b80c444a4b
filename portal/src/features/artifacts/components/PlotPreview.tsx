import { useComputedColorScheme } from "@mantine/core";
import { useMemo } from "react";
import { useFormats } from "@/ui/format";
import { seriesStyle } from "@/ui/palette";
import type { DrawnPlot, Trace } from "../plots";
import classes from "./Plot.module.css";

const width = 640;
const height = 360;
const frame = { left: 64, right: 16, top: 12, bottom: 40 };
const ticks = 5;

/** The lines, points and bars of a figure. */
export function PlotPreview({ plot, label }: { plot: DrawnPlot; label: string }) {
  const formats = useFormats();
  const scheme = useComputedColorScheme("light");
  const scale = useMemo(() => scaleOf(plot.traces), [plot]);
  const { x, y } = scale;
  const axis = (low: number, high: number) =>
    Array.from({ length: ticks }, (_, index) => low + ((high - low) * index) / (ticks - 1));
  const short = (value: number) => formats.number(value, { maximumSignificantDigits: 4 });
  return (
    <figure className={classes.figure}>
      {plot.title ? <figcaption>{plot.title}</figcaption> : null}
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={plot.title || label}>
        {axis(scale.low[1], scale.high[1]).map((value) => (
          <g key={value}>
            <line
              x1={frame.left}
              x2={width - frame.right}
              y1={y(value)}
              y2={y(value)}
              className={classes.grid}
            />
            <text x={frame.left - 8} y={y(value) + 4} textAnchor="end" className={classes.tick}>
              {short(value)}
            </text>
          </g>
        ))}
        {plot.categories
          ? plot.categories.slice(0, 24).map((name, index) => (
              <text
                key={name}
                x={x(index)}
                y={height - 20}
                textAnchor="middle"
                className={classes.tick}
              >
                {name.slice(0, 12)}
              </text>
            ))
          : axis(scale.low[0], scale.high[0]).map((value) => (
              <text
                key={value}
                x={x(value)}
                y={height - 20}
                textAnchor="middle"
                className={classes.tick}
              >
                {short(value)}
              </text>
            ))}
        <text x={width / 2} y={height - 4} textAnchor="middle" className={classes.tick}>
          {plot.xTitle}
        </text>
        <text
          x={12}
          y={height / 2}
          textAnchor="middle"
          transform={`rotate(-90 12 ${height / 2})`}
          className={classes.tick}
        >
          {plot.yTitle}
        </text>
        {plot.traces.map((trace, index) => (
          <Drawn
            // biome-ignore lint/suspicious/noArrayIndexKey: traces have no names of their own and never change
            key={index}
            trace={trace}
            scale={scale}
            color={seriesStyle(index, scheme).color}
            share={[index, plot.traces.length]}
          />
        ))}
      </svg>
      {plot.traces.length > 1 ? (
        <ul className={classes.legend}>
          {plot.traces.map(({ name }, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: see above
            <li key={index}>
              <svg width="16" height="8" aria-hidden>
                <line
                  x1="0"
                  x2="16"
                  y1="4"
                  y2="4"
                  strokeWidth="3"
                  stroke={seriesStyle(index, scheme).color}
                />
              </svg>
              {name}
            </li>
          ))}
        </ul>
      ) : null}
    </figure>
  );
}

type Scale = {
  x: (value: number) => number;
  y: (value: number) => number;
  low: [number, number];
  high: [number, number];
};

function scaleOf(traces: readonly Trace[]): Scale {
  const low: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const bars = traces.some(({ mode }) => mode === "bars");
  for (const { x, y } of traces) {
    for (const [index, value] of y.entries()) {
      const at = x[index] ?? Number.NaN;
      if (!Number.isFinite(value) || !Number.isFinite(at)) continue;
      low[0] = Math.min(low[0], at - (bars ? 0.5 : 0));
      high[0] = Math.max(high[0], at + (bars ? 0.5 : 0));
      low[1] = Math.min(low[1], value, bars ? 0 : value);
      high[1] = Math.max(high[1], value, bars ? 0 : value);
    }
  }
  for (const axis of [0, 1] as const) {
    if (low[axis] > high[axis]) [low[axis], high[axis]] = [0, 1];
    if (low[axis] === high[axis]) {
      low[axis] -= 0.5;
      high[axis] += 0.5;
    }
  }
  const across = width - frame.left - frame.right;
  const down = height - frame.top - frame.bottom;
  return {
    low,
    high,
    x: (value) => frame.left + ((value - low[0]) / (high[0] - low[0])) * across,
    y: (value) => frame.top + (1 - (value - low[1]) / (high[1] - low[1])) * down,
  };
}

type DrawnProps = { trace: Trace; scale: Scale; color: string; share: [index: number, of: number] };

function Drawn({ trace, scale, color, share: [index, of] }: DrawnProps) {
  const places = trace.y.map(
    (value, at) => [scale.x(trace.x[at] ?? Number.NaN), scale.y(value)] as const,
  );
  const good = ([x, y]: readonly [number, number]) => Number.isFinite(x) && Number.isFinite(y);
  if (trace.mode === "line") {
    let path = "";
    let isDrawing = false;
    for (const place of places) {
      if (good(place))
        path += `${isDrawing ? "L" : "M"}${place[0].toFixed(1)} ${place[1].toFixed(1)}`;
      isDrawing = good(place);
    }
    return <path d={path} fill="none" stroke={color} strokeWidth={1.75} />;
  }
  if (trace.mode === "points") {
    const dots = places.filter(good).map(([x, y]) => `M${x.toFixed(1)} ${y.toFixed(1)}h0`);
    return <path d={dots.join("")} stroke={color} strokeWidth={5} strokeLinecap="round" />;
  }
  const room = (scale.x(1) - scale.x(0)) * 0.8;
  const zero = scale.y(0);
  return places
    .filter(good)
    .map(([x, y]) => (
      <rect
        key={x}
        x={x - room / 2 + (room / of) * index}
        y={Math.min(y, zero)}
        width={Math.max(1, room / of)}
        height={Math.max(0.5, Math.abs(zero - y))}
        fill={color}
      />
    ));
}
