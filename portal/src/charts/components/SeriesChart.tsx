import { Trans, useLingui } from "@lingui/react/macro";
import { Skeleton, useComputedColorScheme } from "@mantine/core";
import { IconPlayerTrackNext } from "@tabler/icons-react";
import {
  type KeyboardEvent,
  lazy,
  type ReactNode,
  Suspense,
  useEffect,
  useId,
  useMemo,
  useRef,
  useState,
} from "react";
import { useFormats } from "@/ui/format";
import { announceFailure } from "@/ui/notices";
import { seriesStyle } from "@/ui/palette";
import { type Axis, extent, type Line, panned, type Range, zoomed } from "../axis";
import { csvOf, download, type Fullness, fileName, pngOf } from "../export";
import { lateIn } from "../gaps";
import { type ChartCommand, commandOf } from "../keys";
import { type Reading, Readings, useReading } from "../readings";
import { type Ruler, useRuler } from "../ruler";
import { smoothingSteps } from "../smoothing";
import { type Words, wordsFor } from "../ticks";
import type { Viewport } from "../viewport";
import { ChartMenu } from "./ChartMenu";
import { ChartTooltip } from "./ChartTooltip";
import { LineSample } from "./LineSample";
import type { PlotHandle } from "./Plot";
import { PointTable } from "./PointTable";
import { RulerPanel } from "./RulerPanel";
import classes from "./SeriesChart.module.css";

const Plot = lazy(() => import("./Plot"));

type Props = {
  title: string;
  /** In their order; look and legend follow it. */
  lines: readonly Line[];
  /** What the lines are, for who does not see them: `loss, 5 runs`. */
  description: string;
  axis: Axis;
  logX: boolean;
  logY: boolean;
  smoothing: number;
  /** Moves what is in view of all charts of the page. */
  viewport: Viewport;
  /** Where it rests; `null` is everything. */
  zoom: Range | null;
  /** What everything is, where it is not what the lines cover: the window of a live picture. */
  span?: Range;
  onView: (change: { logY?: boolean; smoothing?: number }) => void;
  /** The vertical range chosen by hand; `null` follows what is in view. */
  fixed: Range | null;
  clip: boolean;
  /** How much of what is stored the lines are. */
  fullness: Fullness;
  /** The lines are means of groups of runs. */
  averaged: boolean;
  /** Points may still arrive. */
  live: boolean;
  /** How many have arrived since the picture stopped following. */
  fresh?: number;
  onFollow?: () => void;
  /** Older than what was asked for: dimmed, not blanked. */
  refreshing?: boolean;
  /** Out of sight: the canvas rests. */
  asleep: boolean;
  /** Whether the lines' names stand below the chart, with a switch for each. */
  legend: boolean;
  maximised: boolean;
  onMaximise: (maximised: boolean) => void;
  group: string;
  /** Measures between two places, where that is offered. */
  ruler?: Ruler;
  /** More to say of the lines, beside the number of points. */
  notes?: ReactNode;
  /** More entries for the chart's menu: above, and among the downloads. */
  menu?: ReactNode;
  downloads?: ReactNode;
};

const height = 208;

/** One chart of one or several series: canvas, tooltip, legend, keyboard cursor and table twin. */
export function SeriesChart(props: Props) {
  const { title, lines, axis, logX, logY, smoothing, viewport, zoom, onView, live } = props;
  const { fresh = 0, maximised, onMaximise } = props;
  const { t, i18n } = useLingui();
  const scheme = useComputedColorScheme("light");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [tabular, setTabular] = useState(false);
  const [readings] = useState(() => new Readings());
  const plot = useRef<PlotHandle>(null);
  const figure = useRef<HTMLElement>(null);
  const id = useId();
  const words = wordsFor(i18n.locale);
  const looks = useMemo(
    () => lines.map(({ look }, index) => seriesStyle(look ?? index, scheme)),
    [lines, scheme],
  );
  const { span } = props;
  const full = useMemo(() => span ?? extent(lines, logX), [span, lines, logX]);
  const empty = lines.every(({ x }) => x.length === 0);
  const tall = useMaximisedHeight(maximised);
  const { ruler } = props;
  const measures = useRuler(ruler) !== null;

  function onKeyDown(event: KeyboardEvent): void {
    const command = commandOf(event.code);
    if (!command || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    obey(command, event.shiftKey ? 10 : 1);
  }

  function obey(command: ChartCommand, stride: number) {
    const range = viewport.range ?? full;
    const centre = readings.get()?.x;
    switch (command) {
      case "previous":
        return plot.current?.step(-stride);
      case "next":
        return plot.current?.step(stride);
      case "first":
      case "last":
        return plot.current?.step(command);
      case "zoomIn":
        return viewport.choose(zoomed(range, full, 0.5, centre, logX));
      case "zoomOut":
        return viewport.choose(zoomed(range, full, 2, centre, logX));
      case "everything":
        return viewport.choose(null);
      case "panLeft":
      case "panRight": {
        const share = command === "panLeft" ? -0.25 : 0.25;
        return viewport.range ? viewport.choose(panned(range, full, share, logX)) : undefined;
      }
      case "follow":
        return follow();
      case "smoothing":
        return onView({ smoothing: nextSmoothing(smoothing) });
      case "logarithmic":
        return onView({ logY: !logY });
      case "maximise":
        return onMaximise(!maximised);
      case "table":
        return setTabular(!tabular);
      case "placeA":
      case "placeB": {
        const end = command === "placeA" ? "a" : "b";
        return ruler?.put(end, centre ?? range[end === "a" ? 0 : 1], range);
      }
      case "leave":
        if (measures) return ruler?.set(null);
        if (maximised) return onMaximise(false);
        return readings.get() ? plot.current?.leave() : follow();
    }
  }

  function follow(): void {
    viewport.choose(null);
    props.onFollow?.();
  }

  function saveCsv(): void {
    const part = props.fullness.exact ? "" : "-downsampled";
    const csv = csvOf(lines, axis, props.fullness);
    download(new Blob([csv], { type: "text/csv" }), fileName(`${title}${part}`, "csv"));
  }

  async function savePng(): Promise<void> {
    const canvas = plot.current?.canvas();
    if (!canvas || !figure.current) return;
    const style = getComputedStyle(figure.current);
    const colors = { text: style.color, background: style.backgroundColor };
    const entries = lines.flatMap(({ id, label }, index) => {
      const look = looks[index];
      return look && lines.length > 1 && !hidden.has(id) ? [{ label, ...look }] : [];
    });
    const blob = await pngOf(canvas, title, entries, colors);
    if (blob) download(blob, fileName(title, "png"));
    else announceFailure(t`The picture could not be made`, null);
  }

  const summary = useSummary(props.description, axis, full, words);
  return (
    <figure
      ref={figure}
      className={[
        classes.figure,
        maximised ? classes.maximised : "",
        props.refreshing ? classes.refreshing : "",
      ].join(" ")}
      aria-labelledby={id}
      aria-busy={props.refreshing || undefined}
    >
      <div className={classes.head}>
        <figcaption className={classes.title} id={id} title={title}>
          <h3>{title}</h3>
          <span className="rb-visually-hidden">, {summary}</span>
        </figcaption>
        {fresh > 0 && props.onFollow ? (
          <button type="button" className={classes.pill} onClick={follow}>
            <IconPlayerTrackNext size={14} aria-hidden />
            <Trans>Live +{words.value(fresh)} points</Trans>
          </button>
        ) : lines.length === 1 ? (
          <Now line={lines[0]} readings={readings} words={words} />
        ) : null}
        <ChartMenu
          title={title}
          zoomable={!empty}
          onZoomIn={() => obey("zoomIn", 1)}
          onZoomOut={() => obey("zoomOut", 1)}
          onReset={zoom ? () => viewport.choose(null) : undefined}
          maximised={maximised}
          onMaximise={() => onMaximise(!maximised)}
          tabular={tabular}
          onTable={() => setTabular(!tabular)}
          measures={measures}
          onMeasure={
            ruler && !empty
              ? () => (measures ? ruler.set(null) : ruler.begin(viewport.range ?? full))
              : undefined
          }
          onPng={savePng}
          onCsv={saveCsv}
          downloads={props.downloads}
        >
          {props.menu}
        </ChartMenu>
      </div>
      {empty ? (
        <div className={classes.empty} style={{ height }}>
          <Trans>No points here.</Trans>
        </div>
      ) : (
        <div
          className={classes.surface}
          role="application"
          aria-label={t`${title}: arrow keys read the points, D shows a table, ? lists all keys`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the chart is operated by keyboard
          tabIndex={0}
          onKeyDown={onKeyDown}
          onBlur={() => plot.current?.leave()}
        >
          <Suspense fallback={<Skeleton height={maximised ? tall : height} />}>
            <Plot
              ref={plot}
              lines={lines}
              axis={axis}
              logX={logX}
              logY={logY}
              smoothing={smoothing}
              viewport={viewport}
              full={full}
              fixed={props.fixed}
              clip={props.clip}
              hidden={hidden}
              height={maximised ? tall : height}
              live={live}
              asleep={props.asleep}
              readings={readings}
              group={props.group}
              ruler={ruler}
            />
          </Suspense>
          {zoom && props.fullness.shown === 0 ? (
            <p className={classes.outside}>
              <Trans>No points in this range</Trans>
            </p>
          ) : null}
          <ChartTooltip readings={readings} lines={lines} looks={looks} axis={axis} words={words} />
        </div>
      )}
      <div className={classes.foot}>
        <PointCount {...props.fullness} words={words} />
        {props.averaged ? (
          <span className={classes.chip}>
            <Trans>Mean of each group</Trans>
          </span>
        ) : null}
        {props.notes}
        <LateChip lines={lines} zoom={zoom} words={words} />
        <NotDrawn lines={lines} logY={logY} />
        {props.legend && lines.length > 1 ? (
          <ul className={classes.legend} aria-label={t`Lines`}>
            {lines.map((line, index) => {
              const look = looks[index];
              return (
                <li key={line.id}>
                  <button
                    type="button"
                    className={classes.toggle}
                    aria-pressed={!hidden.has(line.id)}
                    onClick={() => setHidden(toggled(hidden, line.id))}
                  >
                    {look ? <LineSample {...look} /> : null}
                    <span className={classes.label}>{line.label}</span>
                  </button>
                </li>
              );
            })}
          </ul>
        ) : null}
      </div>
      {ruler && measures ? (
        <RulerPanel
          ruler={ruler}
          title={title}
          lines={lines}
          looks={looks}
          hidden={hidden}
          axis={axis}
          view={zoom ?? full}
          words={words}
        />
      ) : null}
      {tabular ? (
        <PointTable title={title} lines={lines} axis={axis} zoom={zoom} words={words} />
      ) : null}
      <Spoken readings={readings} lines={lines} axis={axis} words={words} />
    </figure>
  );
}

function toggled(set: ReadonlySet<string>, member: string): ReadonlySet<string> {
  const next = new Set(set);
  if (!next.delete(member)) next.add(member);
  return next;
}

function nextSmoothing(now: number): number {
  return smoothingSteps.find((step) => step > now) ?? 0;
}

function useMaximisedHeight(maximised: boolean): number {
  const [tall, setTall] = useState(480);
  useEffect(() => {
    if (!maximised) return;
    const measure = () => setTall(Math.max(220, window.innerHeight - 140));
    measure();
    window.addEventListener("resize", measure);
    return () => window.removeEventListener("resize", measure);
  }, [maximised]);
  return tall;
}

function useSummary(names: string, axis: Axis, full: Range, words: Words): string {
  const { t } = useLingui();
  const from = words.place(axis, full[0]);
  const to = words.place(axis, full[1]);
  if (axis === "step") return t`${names}, steps ${from} to ${to}`;
  return t`${names}, from ${from} to ${to}`;
}

/** The value at the cursor, or the last one. */
function Now({ line, readings, words }: { line?: Line; readings: Readings; words: Words }) {
  const reading = useReading(readings);
  const pointed = reading?.values[0];
  const value = pointed ? (pointed.smooth ?? pointed.raw) : line?.y.at(-1);
  if (value === undefined) return null;
  return <span className={classes.now}>{words.value(value)}</span>;
}

function PointCount({ shown, stored, exact, words }: Fullness & { words: Words }) {
  const some = words.count(shown);
  const all = words.count(stored, "compact");
  if (stored === 0) return null;
  return (
    <span className={classes.chip}>
      {exact ? (
        <Trans>{some} points</Trans>
      ) : (
        <Trans>
          {some} of {all} points
        </Trans>
      )}
    </span>
  );
}

/** How much of what is in view came after its time, with the mark that it has in the plot. */
function LateChip(props: { lines: readonly Line[]; zoom: Range | null; words: Words }) {
  const count = props.lines.reduce(
    (sum, { late }) => sum + (late ? lateIn(late, props.zoom) : 0),
    0,
  );
  if (count === 0) return null;
  const amount = props.words.count(count);
  return (
    <span className={`${classes.chip} ${classes.late}`}>
      <Trans>◆ {amount} late</Trans>
    </span>
  );
}

/** What the canvas cannot show as part of a line, in words. */
function NotDrawn({ lines, logY }: { lines: readonly Line[]; logY: boolean }) {
  const { nan, infinite, notPositive, reasons } = useMemo(
    () => notDrawn(lines, logY),
    [lines, logY],
  );
  return (
    <>
      {[...reasons].map(([reason, count]) => (
        <span key={reason} className={`${classes.chip} ${classes.warn}`}>
          ⊘ {count} {reason}
        </span>
      ))}
      {nan > 0 ? <span className={`${classes.chip} ${classes.warn}`}>✕ {nan} NaN</span> : null}
      {infinite > 0 ? (
        <span className={`${classes.chip} ${classes.warn}`}>▲ {infinite} ∞</span>
      ) : null}
      {notPositive > 0 ? (
        <span className={`${classes.chip} ${classes.warn}`}>
          <Trans>{notPositive} not above zero, hidden on a logarithmic axis</Trans>
        </span>
      ) : null}
    </>
  );
}

function notDrawn(lines: readonly Line[], logY: boolean) {
  const found = { nan: 0, infinite: 0, notPositive: 0, reasons: new Map<string, number>() };
  for (const { x, y, reasons } of lines) {
    for (const [index, value] of y.entries()) {
      const reason = Number.isNaN(value) ? reasons?.get(x[index] ?? 0) : undefined;
      if (reason) found.reasons.set(reason, (found.reasons.get(reason) ?? 0) + 1);
      else if (Number.isNaN(value)) found.nan += 1;
      else if (!Number.isFinite(value)) found.infinite += 1;
      else if (logY && value <= 0) found.notPositive += 1;
    }
  }
  return found;
}

type SpokenProps = {
  readings: Readings;
  lines: readonly Line[];
  axis: Axis;
  words: Words;
};

/** Says politely where the keyboard's cursor stands, once it rests. */
function Spoken({ readings, lines, axis, words }: SpokenProps) {
  const { t } = useLingui();
  const formats = useFormats();
  const [text, setText] = useState("");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const say = (reading: Reading | null) => {
      if (!reading?.at) return setText("");
      const place = words.place(axis, reading.x);
      // Of many lines the one pointed at is said first, and no more than an ear can take.
      const order = lines.map((_, index) => index);
      order.sort((a, b) => Number(b === reading.nearest) - Number(a === reading.nearest));
      const values = order
        .flatMap((index) => {
          const [line, read] = [lines[index], reading.values[index]];
          if (!line || !read) return [];
          if (read.gap !== undefined) {
            const long = formats.duration(read.gap);
            return [`${line.label} ${t`no data for ${long}`}`];
          }
          const late = read.late ? `, ${t`came late`}` : "";
          return [`${line.label} ${read.reason ?? words.value(read.raw)}${late}`];
        })
        .slice(0, 6)
        .join(", ");
      setText(axis === "step" ? t`Step ${place}: ${values}` : `${place}: ${values}`);
    };
    const unsubscribe = readings.subscribe(() => {
      clearTimeout(timer);
      timer = setTimeout(() => say(readings.get()), 250);
    });
    return () => {
      clearTimeout(timer);
      unsubscribe();
    };
  }, [readings, lines, axis, words, formats, t]);
  return (
    <span role="status" className="rb-visually-hidden">
      {text}
    </span>
  );
}
