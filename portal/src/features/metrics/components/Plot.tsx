import { useLingui } from "@lingui/react";
import { useComputedColorScheme } from "@mantine/core";
import {
  type RefObject,
  useEffect,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useRef,
} from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { seriesStyle } from "@/ui/palette";
import { type Axis, type Line, panned, type Range, zoomed } from "../axis";
import { drawEndLabels, drawingOf, drawMarks } from "../drawing";
import type { Readings } from "../readings";
import { tickSteps, wordsFor } from "../ticks";
import classes from "./SeriesChart.module.css";

export type PlotHandle = {
  /** Puts the cursor on the point `by` points further, or on the first or last one in view. */
  step(by: number | "first" | "last"): void;
  leave(): void;
  /** What is drawn now, in device pixels. */
  canvas(): HTMLCanvasElement | null;
};

export type PlotProps = {
  ref: RefObject<PlotHandle | null>;
  lines: readonly Line[];
  axis: Axis;
  logY: boolean;
  smoothing: number;
  /** What is in view; `null` for all. */
  zoom: Range | null;
  full: Range;
  onZoom: (zoom: Range | null) => void;
  hidden: ReadonlySet<string>;
  height: number;
  /** New points may arrive: the y axis then grows at once and shrinks only after a while. */
  live: boolean;
  readings: Readings;
  /** Charts of the same group share their cursor. */
  group: string;
};

const shrinkAfterMs = 5_000;
const labelFont = '"IBM Plex Sans Variable", system-ui, sans-serif';

/** The canvas: uPlot with our axes, gestures and marks. It never decides what is in view, it asks. */
export default function Plot(props: PlotProps) {
  const { ref, lines, axis, logY, smoothing, hidden, height, group, zoom, readings } = props;
  const scheme = useComputedColorScheme("light");
  const { i18n } = useLingui();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  // The place of the keyboard's (or a finger's) cursor on the axis; it stays there while data moves.
  const pinned = useRef<number | null>(null);
  const placing = useRef(false);

  const drawing = useMemo(() => drawingOf(lines, smoothing, logY), [lines, smoothing, logY]);
  const drawn = useRef(drawing);
  drawn.current = drawing;
  const names = lines.map(({ id, label }) => `${id}\n${label}`).join("\n\n");

  // A new chart only when its structure changes; data, zoom and size go into the one that stands.
  // biome-ignore lint/correctness/useExhaustiveDependencies: lines enter by their names, data by setData
  useLayoutEffect(() => {
    const parent = place.current;
    if (!parent) return;
    const styles = getComputedStyle(parent);
    const color = (name: string) => styles.getPropertyValue(name).trim() || "#808080";
    const ink = {
      text: color("--mantine-color-dimmed"),
      background: color("--rb-surface"),
      font: `500 ${11 * uPlot.pxRatio}px ${labelFont}`,
    };
    const grid = { stroke: color("--rb-line"), width: 1 };
    const words = wordsFor(i18n.locale);
    const looks = lines.map((_, index) => seriesStyle(index, scheme));
    const each = smoothing > 0 ? 2 : 1;
    const columnOf = (line: number) => 1 + line * each + (each - 1);
    const labelled = lines.length > 1;
    let held: { min: number; max: number; neededAt: number; zoom: Range | null } | null = null;

    function yRange(_: uPlot, min: number | null, max: number | null): uPlot.Range.MinMax {
      if (min === null || max === null) return logY ? [0.1, 10] : [0, 1];
      if (logY) return logRange(min, max);
      const [low, high] = uPlot.rangeNum(min, max, 0.1, true) as [number, number];
      const { live, zoom: inView } = latest.current;
      const now = performance.now();
      if (!live || !held || held.zoom !== inView) {
        held = { min: low, max: high, neededAt: now, zoom: inView };
      } else if (low <= held.min || high >= held.max) {
        held = {
          ...held,
          min: Math.min(low, held.min),
          max: Math.max(high, held.max),
          neededAt: now,
        };
      } else if (now - held.neededAt > shrinkAfterMs) {
        held = { min: low, max: high, neededAt: now, zoom: inView };
      }
      return [held.min, held.max];
    }

    const font = `11px ${labelFont}`;
    const options: uPlot.Options = {
      width: parent.clientWidth || 400,
      height: latest.current.height,
      padding: [8, labelled ? labelSpace(lines, parent.clientWidth) : 14, 0, 0],
      legend: { show: false },
      scales: {
        x: {
          time: false,
          range: () => {
            const { zoom: inView, full } = latest.current;
            const [from, to] = inView ?? full;
            return from < to ? [from, to] : [from - 0.5, from + 0.5];
          },
        },
        y: { distr: logY ? 3 : 1, range: yRange },
      },
      axes: [
        {
          stroke: ink.text,
          font,
          grid: { show: false },
          ticks: { ...grid, size: 5 },
          border: { show: true, ...grid },
          gap: 4,
          size: axis === "time" ? 42 : 28,
          space: axis === "time" ? 76 : 60,
          incrs: tickSteps(axis),
          values: (_, places, __, ___, increment) => words.xTicks(axis, places, increment),
        },
        {
          stroke: ink.text,
          font,
          // Lines only where a number stands; nine in each decade would be a fence.
          grid: {
            ...grid,
            filter: (u, places, index, space, increment) => {
              const { filter } = u.axes[index] ?? {};
              return filter ? filter(u, places, index, space, increment) : places;
            },
          },
          ticks: { show: false },
          gap: 6,
          size: (u, values) => {
            const longest = (values ?? []).reduce((a, b) => (b && b.length > a.length ? b : a), "");
            u.ctx.save();
            u.ctx.font = font;
            const width = u.ctx.measureText(longest).width;
            u.ctx.restore();
            return Math.max(34, Math.ceil(width) + 14);
          },
          values: (_, places) => places.map((value) => (value === null ? "" : words.tick(value))),
        },
      ],
      series: [
        {},
        ...looks.flatMap(({ color: stroke, dash }, line): uPlot.Series[] => {
          const show = !latest.current.hidden.has(lines[line]?.id ?? "");
          const main = { stroke, dash: [...dash], width: 1.75, show };
          return each === 1
            ? [{ ...main, points: { size: 5, fill: stroke } }]
            : [
                { stroke, width: 1.25, alpha: 0.25, show, points: { show: false } },
                { ...main, width: 2, points: { show: false } },
              ];
        }),
      ],
      cursor: {
        drag: { x: true, y: false, setScale: false, dist: 4 },
        points: {
          size: 7,
          width: 2,
          stroke: () => ink.background,
          fill: (_, column) => looks[Math.floor((column - 1) / each)]?.color ?? ink.text,
        },
        sync: {
          key: group,
          scales: ["x", null],
          setSeries: false,
          filters: { pub: (type) => type === "mousemove" || type === "mouseleave" },
        },
        bind: {
          mousedown: (u, _, handle) => (event) => {
            pinned.current = null;
            if (event.button === 0 && event.shiftKey) startPan(u, event);
            else if (event.button === 0) handle(event);
            return null;
          },
          dblclick: () => () => {
            latest.current.onZoom(null);
            return null;
          },
        },
      },
      hooks: {
        draw: [
          (u) => {
            drawMarks(u, drawn.current.marks, (line) => looks[line]?.color ?? ink.text);
            if (!labelled) return;
            const ends = lines.map(({ id, label }, line) => ({
              label,
              color: looks[line]?.color ?? ink.text,
              column: columnOf(line),
              shown: !latest.current.hidden.has(id),
            }));
            drawEndLabels(u, ends, ink);
          },
        ],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width < 4) return;
            latest.current.onZoom([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        setCursor: [
          (u) => {
            const { idx, left, top } = u.cursor;
            const x = idx == null ? undefined : u.data[0][idx];
            if (idx == null || x == null || left == null || left < 0) {
              readings.set(null);
              return;
            }
            const own = u.cursor.event != null || placing.current;
            readings.set({
              x,
              values: lines.map((_, line) => {
                const column = 1 + line * each;
                const value = u.data[column]?.[idx] ?? null;
                const mark = drawn.current.marks.find((one) => one.line === line && one.x === x);
                return {
                  raw: value ?? (mark ? loggedValue(mark.kind) : null),
                  smooth: each === 2 ? (u.data[column + 1]?.[idx] ?? null) : null,
                };
              }),
              at: own
                ? { left: left + u.bbox.left / uPlot.pxRatio, top: top ?? 0, width: u.width }
                : null,
            });
          },
        ],
      },
    };

    const u = new uPlot(options, drawn.current.columns, parent);
    plot.current = u;

    const onWheel = (event: WheelEvent) => {
      const { zoom: inView, full, onZoom } = latest.current;
      const range = inView ?? full;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const centre = u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x");
        onZoom(zoomed(range, full, Math.exp(Math.sign(event.deltaY) * 0.2), centre));
      } else if (inView && (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))) {
        event.preventDefault();
        onZoom(panned(range, full, Math.sign(event.deltaX || event.deltaY) * 0.08));
      }
    };
    const onLeave = () => {
      u.cursor.event = undefined;
    };
    const onTouch = (event: PointerEvent) => {
      if (event.pointerType !== "touch") return;
      const box = u.over.getBoundingClientRect();
      pinned.current = u.posToVal(event.clientX - box.left, "x");
      putBack(u, pinned, placing);
    };
    u.over.addEventListener("wheel", onWheel, { passive: false });
    u.over.addEventListener("mouseleave", onLeave);
    u.over.addEventListener("pointermove", onTouch);
    const resized = new ResizeObserver(() => {
      if (parent.clientWidth > 0 && parent.clientWidth !== u.width) {
        u.setSize({ width: parent.clientWidth, height: latest.current.height });
      }
    });
    resized.observe(parent);
    return () => {
      resized.disconnect();
      plot.current = null;
      readings.set(null);
      u.destroy();
    };
  }, [names, axis, logY, smoothing > 0, scheme, i18n.locale, group, readings]);

  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    u.setData(drawing.columns);
    queueMicrotask(() => {
      if (plot.current === u) putBack(u, pinned, placing);
    });
  }, [drawing]);

  useEffect(() => {
    const u = plot.current;
    if (!u || u.data.length === 0) return;
    const [from, to] = zoom ?? latest.current.full;
    u.setScale("x", { min: from, max: to });
    queueMicrotask(() => {
      if (plot.current === u) putBack(u, pinned, placing);
    });
  }, [zoom]);

  useEffect(() => {
    const u = plot.current;
    if (u && u.height !== height) u.setSize({ width: u.width, height });
  }, [height]);

  useEffect(() => {
    const u = plot.current;
    if (!u) return;
    const each = (u.series.length - 1) / Math.max(1, latest.current.lines.length);
    u.batch(() => {
      for (const [line, { id }] of latest.current.lines.entries()) {
        for (let column = 0; column < each; column++) {
          const index = 1 + line * each + column;
          const show = !hidden.has(id);
          if (u.series[index]?.show !== show) u.setSeries(index, { show });
        }
      }
    });
  }, [hidden]);

  useImperativeHandle(ref, () => ({
    step: (by) => {
      const u = plot.current;
      const xs = u?.data[0];
      if (!u || !xs || xs.length === 0) return;
      const [first, last] = [u.series[0]?.idxs?.[0] ?? 0, u.series[0]?.idxs?.[1] ?? xs.length - 1];
      const from = pinned.current === null ? null : u.valToIdx(pinned.current);
      const next =
        by === "first"
          ? first
          : by === "last"
            ? last
            : from === null
              ? by > 0
                ? first
                : last
              : Math.min(Math.max(from + by, first), last);
      pinned.current = xs[next] ?? null;
      putBack(u, pinned, placing);
    },
    leave: () => {
      pinned.current = null;
      plot.current?.setCursor({ left: -10, top: -10 }, true);
    },
    canvas: () => plot.current?.ctx.canvas ?? null,
  }));

  function startPan(u: uPlot, down: MouseEvent): void {
    const range = latest.current.zoom;
    if (!range) return;
    const width = u.over.clientWidth || 1;
    const onMove = (event: MouseEvent) => {
      const share = (down.clientX - event.clientX) / width;
      latest.current.onZoom(panned(range, latest.current.full, share));
    };
    const onUp = () => {
      document.removeEventListener("mousemove", onMove);
      document.removeEventListener("mouseup", onUp);
    };
    document.addEventListener("mousemove", onMove);
    document.addEventListener("mouseup", onUp);
  }

  return <div ref={place} className={classes.canvas} style={{ height }} />;
}

/** Puts the keyboard's cursor on its point, also after the picture has moved under it. */
function putBack(u: uPlot, pinned: RefObject<number | null>, placing: RefObject<boolean>): void {
  if (pinned.current === null) return;
  const index = u.valToIdx(pinned.current);
  const x = u.data[0][index];
  if (x == null) return;
  const column = u.series.findIndex((one, at) => at > 0 && one.show && u.data[at]?.[index] != null);
  const value = u.data[column]?.[index];
  placing.current = true;
  u.setCursor({
    left: u.valToPos(x, "x"),
    top: value == null ? u.over.clientHeight / 2 : u.valToPos(value, "y"),
  });
  placing.current = false;
}

function loggedValue(kind: "nan" | "up" | "down"): number {
  if (kind === "nan") return Number.NaN;
  return kind === "up" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/** The values with a little air on both sides, on a scale of powers of ten. */
function logRange(min: number, max: number): [number, number] {
  const [low, high] = [Math.log10(min), Math.log10(max)];
  const air = Math.max((high - low) * 0.06, 0.02);
  return [10 ** (low - air), 10 ** (high + air)];
}

function labelSpace(lines: readonly Line[], width: number): number {
  const longest = Math.max(...lines.map(({ label }) => label.length));
  return Math.min(longest * 6.2 + 14, width * 0.3);
}
