import { Trans, useLingui } from "@lingui/react/macro";
import { CloseButton } from "@mantine/core";
import { useMemo } from "react";
import type { SeriesStyle } from "@/ui/palette";
import type { Axis, Line, Range } from "../axis";
import { measured, type Ruler, type RulerEnd, useRuler } from "../ruler";
import type { Words } from "../ticks";
import { LineSample } from "./LineSample";
import classes from "./SeriesChart.module.css";

type Props = {
  ruler: Ruler;
  title: string;
  lines: readonly Line[];
  looks: readonly SeriesStyle[];
  hidden: ReadonlySet<string>;
  axis: Axis;
  /** What is in view: where the ends can be moved. */
  view: Range;
  words: Words;
};

const stepsAcross = 500;

/** What lies between the cursors A and B: how long, how often a second, how much, and the figures between. */
export function RulerPanel(props: Props) {
  const { ruler, title, lines, looks, hidden, axis, view, words } = props;
  const { t } = useLingui();
  const places = useRuler(ruler);
  const rows = useMemo(
    () =>
      places
        ? lines.map((line) => ({
            line,
            found: hidden.has(line.id) ? null : measured(line, places),
          }))
        : [],
    [lines, hidden, places],
  );
  if (!places) return null;
  const [a, b] = places;
  const distance = Math.abs(b - a);
  const seconds = axis === "time" || axis === "relative";
  const long = seconds ? spanText(distance, words) : words.value(distance);
  const often = words.value(1 / distance);
  const value = (number: number | null | undefined) =>
    number === null || number === undefined ? "—" : words.value(number);
  const cursor = (end: RulerEnd, place: number) => {
    const letter = end.toUpperCase();
    return (
      <label className={classes.cursor}>
        <span>{letter}</span>
        <input
          type="range"
          aria-label={t`Cursor ${letter} of ${title}`}
          aria-valuetext={words.place(axis, place)}
          min={view[0]}
          max={view[1]}
          step={(view[1] - view[0]) / stepsAcross}
          value={place}
          onChange={(event) => ruler.put(end, Number(event.currentTarget.value), view)}
        />
        <output>{words.place(axis, place)}</output>
      </label>
    );
  };
  return (
    <section className={classes.ruler} aria-label={t`Measured in ${title}`}>
      <div className={classes.cursors}>
        {cursor("a", a)}
        {cursor("b", b)}
        <CloseButton size="sm" aria-label={t`Stop measuring`} onClick={() => ruler.set(null)} />
      </div>
      <p>
        <strong>Δ {long}</strong>
        {seconds && distance > 0 ? <span>1/Δ {often} Hz</span> : null}
      </p>
      <section
        className={classes.measured}
        aria-label={t`Between A and B of ${title}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
        tabIndex={0}
      >
        <table>
          <thead className={classes.measuredHead}>
            <tr>
              <th scope="col">
                <Trans>Line</Trans>
              </th>
              <th scope="col">A</th>
              <th scope="col">B</th>
              <th scope="col">B − A</th>
              <th scope="col">
                <Trans>Least</Trans>
              </th>
              <th scope="col">
                <Trans>Greatest</Trans>
              </th>
              <th scope="col">
                <Trans>Mean</Trans>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ line, found }, index) => {
              const look = looks[index];
              const [first, second] = found?.at ?? [null, null];
              const change = first === null || second === null ? null : second - first;
              return (
                <tr key={line.id}>
                  <th scope="row">
                    {look && lines.length > 1 ? <LineSample {...look} /> : null} {line.label}
                  </th>
                  <td>{value(first)}</td>
                  <td>{value(second)}</td>
                  <td>{value(change)}</td>
                  <td>{value(found?.min)}</td>
                  <td>{value(found?.max)}</td>
                  <td>
                    {found && line.coarse ? "≈ " : ""}
                    {value(found?.mean)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
    </section>
  );
}

/** `12.4 s`, `3.25 ms`: exact enough to measure by. */
function spanText(seconds: number, words: Words): string {
  if (seconds >= 1 || seconds === 0) return `${words.value(seconds)} s`;
  if (seconds >= 1e-3) return `${words.value(seconds * 1e3)} ms`;
  return `${words.value(seconds * 1e6)} µs`;
}
