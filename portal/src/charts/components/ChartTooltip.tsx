import { Plural, Trans } from "@lingui/react/macro";
import { useLayoutEffect, useRef } from "react";
import { useFormats } from "@/ui/format";
import type { SeriesStyle } from "@/ui/palette";
import type { Axis, Line } from "../axis";
import { type Read, type Readings, useReading } from "../readings";
import type { Words } from "../ticks";
import { LineSample } from "./LineSample";
import classes from "./SeriesChart.module.css";

type Props = {
  readings: Readings;
  lines: readonly Line[];
  looks: readonly SeriesStyle[];
  axis: Axis;
  words: Words;
};

const rowsAtMost = 12;

/** The values under the cursor from the highest to the lowest, on the side of the plot where the cursor is not. */
export function ChartTooltip({ readings, lines, looks, axis, words }: Props) {
  const reading = useReading(readings);
  const box = useRef<HTMLDivElement>(null);
  const at = reading?.at;
  // Beside the cursor, but never out of the chart.
  useLayoutEffect(() => {
    if (!at || !box.current) return;
    const own = box.current.offsetWidth;
    const wanted = at.left > at.width / 2 ? at.left - 14 - own : at.left + 14;
    box.current.style.left = `${Math.max(0, Math.min(wanted, at.width - own))}px`;
  });
  if (!reading || !at) return null;
  const place = words.place(axis, reading.x);
  const all = lines
    .flatMap((line, index) => {
      const value = reading.values[index];
      const nearest = index === reading.nearest && lines.length > 1;
      return value ? [{ line, look: looks[index], value, nearest }] : [];
    })
    .sort((a, b) => height(b.value) - height(a.value));
  // Of very many those around the one that is pointed at.
  const pointed = all.findIndex(({ nearest }) => nearest);
  const from = Math.max(0, Math.min(pointed - Math.floor(rowsAtMost / 2), all.length - rowsAtMost));
  const shown = all.slice(from, from + rowsAtMost);
  const more = all.length - shown.length;
  return (
    <div ref={box} className={classes.tooltip} aria-hidden="true">
      {axis === "step" ? <Trans>Step {place}</Trans> : place}
      <table>
        <tbody>
          {shown.map(({ line, look, value, nearest }) => (
            <tr key={line.id} data-nearest={nearest || undefined}>
              <td>{look ? <LineSample {...look} /> : null}</td>
              <td className={classes.label}>{line.label}</td>
              <td className={classes.value}>
                <Said value={value} words={words} />
                {value.smooth === null ? null : (
                  <span className={classes.raw}> ({words.value(value.raw)})</span>
                )}
                {line.band && value.low !== null && value.high !== null ? (
                  <span className={classes.raw}>
                    {" "}
                    {words.value(value.low)} … {words.value(value.high)}
                  </span>
                ) : null}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {more > 0 ? (
        <span className={classes.raw}>
          <Plural value={more} one="and # more" other="and # more" />
        </span>
      ) : null}
    </div>
  );
}

/** The value, or why there is none. */
function Said({ value, words }: { value: Read; words: Words }) {
  const formats = useFormats();
  if (value.gap !== undefined) {
    const long = formats.duration(value.gap);
    return <Trans>no data for {long}</Trans>;
  }
  if (value.reason) return <>{value.reason}</>;
  const number = words.value(value.smooth ?? value.raw);
  return value.late ? <Trans>{number}, late</Trans> : number;
}

function height({ smooth, raw }: { smooth: number | null; raw: number }): number {
  const value = smooth ?? raw;
  return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
}
