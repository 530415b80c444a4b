import { Trans } from "@lingui/react/macro";
import { Fragment } from "react";
import type { SeriesStyle } from "@/ui/palette";
import type { Axis, Line } from "../axis";
import { type Readings, useReading } from "../readings";
import type { Words } from "../ticks";
import { LineSample } from "./LineSample";
import classes from "./SeriesChart.module.css";

type Props = {
  readings: Readings;
  lines: readonly Line[];
  looks: readonly SeriesStyle[];
  hidden: ReadonlySet<string>;
  axis: Axis;
  words: Words;
};

/** The values under the cursor, on the side of the plot where the cursor is not. */
export function ChartTooltip({ readings, lines, looks, hidden, axis, words }: Props) {
  const reading = useReading(readings);
  if (!reading?.at) return null;
  const { left, width } = reading.at;
  const side =
    left > width / 2
      ? { right: Math.max(8, width - left + 14) }
      : { left: Math.min(left + 14, width - 90) };
  const place = words.place(axis, reading.x);
  const shown = lines
    .map((line, index) => ({ line, look: looks[index], value: reading.values[index] }))
    .filter(({ line, value }) => !hidden.has(line.id) && value && value.raw !== null)
    .sort((a, b) => (b.value?.raw ?? 0) - (a.value?.raw ?? 0));
  return (
    <div className={classes.tooltip} style={side} aria-hidden="true">
      {axis === "step" ? <Trans>Step {place}</Trans> : place}
      <dl>
        {shown.map(({ line, look, value }) => (
          <Fragment key={line.id}>
            <dt>
              {look ? <LineSample {...look} /> : null}
              <span className={classes.label}>{line.label}</span>
            </dt>
            <dd>
              {words.value(value?.smooth ?? value?.raw ?? Number.NaN)}
              {value?.smooth == null ? null : (
                <span className={classes.raw}> ({words.value(value.raw ?? Number.NaN)})</span>
              )}
            </dd>
          </Fragment>
        ))}
      </dl>
    </div>
  );
}
