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
import {
  type Drawn,
  drawnLines,
  endLabels,
  type Frame,
  heightOf,
  neighbour,
  paintBand,
  paintGaps,
  paintLate,
  paintLine,
  paintMarks,
  paintRuler,
  placesOf,
  readAt,
  within,
} from "../drawing";
import type { Readings } from "../readings";
import type { Ruler } from "../ruler";
import { tickSteps, wordsFor } from "../ticks";
import type { Viewport } from "../viewport";
import classes from "./SeriesChart.module.css";

export type PlotHandle = {
  /** Puts the cursor on the next or the last-but-n-th point, or on the first or last one in view. */
  step(by: number | "first" | "last"): void;
  leave(): void;
  /** What is drawn now, in device pixels. */
  canvas(): HTMLCanvasElement | null;
};

export type PlotProps = {
  ref: RefObject<PlotHandle | null>;
  lines: readonly Line[];
  axis: Axis;
  logX: boolean;
  logY: boolean;
  smoothing: number;
  viewport: Viewport;
  full: Range;
  /** The vertical range chosen by hand; `null` follows what is in view. */
  fixed: Range | null;
  clip: boolean;
  hidden: ReadonlySet<string>;
  height: number;
  /** New points may arrive: the y axis then grows at once and shrinks only after a while. */
  live: boolean;
  /** Out of sight: nothing is drawn until it comes back. */
  asleep: boolean;
  readings: Readings;
  /** Charts of the same group share their cursor. */
  group: string;
  ruler?: Ruler;
};

const shrinkAfterMs = 5_000;
const labelFont = '"IBM Plex Sans Variable", system-ui, sans-serif';
/** More names than this do not fit beside the lines' ends; the legend has them all. */
const labelsAtMost = 8;
const labelsFromWidth = 460;
/** More shaded lines than this would grey out the plot; their lines break all the same. */
const gapsAtMost = 6;
const noData: uPlot.AlignedData = [
  [0, 1],
  [null, null],
];

/** The canvas: uPlot's axes and gestures with our lines on it. It never decides what is in view, it asks. */
export default function Plot(props: PlotProps) {
  const { ref, lines, axis, logX, logY, smoothing, hidden, height, group, readings, viewport } =
    props;
  const scheme = useComputedColorScheme("light");
  const { i18n } = useLingui();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const show = useRef<() => void>(() => undefined);
  const drawn = useMemo(() => drawnLines(lines, smoothing), [lines, smoothing]);
  const latest = useRef({ ...props, drawn });
  latest.current = { ...props, drawn };
  // The place of the keyboard's (or a finger's) cursor on the axis; it stays there while data moves.
  const pinned = useRef<number | null>(null);
  const placing = useRef(false);
  const labelled = lines.length > 1 && lines.length <= labelsAtMost;
  const names = labelled ? lines.map(({ label }) => label).join("\n") : "";

  // A new chart only when its structure changes; lines, zoom and size go into the one that stands.
  // biome-ignore lint/correctness/useExhaustiveDependencies: names stand for the space that they take
  useLayoutEffect(() => {
    const parent = place.current;
    if (!parent) return;
    const styles = getComputedStyle(parent);
    const color = (name: string) => styles.getPropertyValue(name).trim() || "#808080";
    const ink = {
      text: color("--mantine-color-dimmed"),
      background: color("--rb-surface"),
      late: color("--rb-interrupted"),
    };
    const grid = { stroke: color("--rb-line"), width: 1 };
    const words = wordsFor(i18n.locale);
    const lookOf = (index: number) => {
      const line = latest.current.lines[index];
      return seriesStyle(line?.look ?? index, scheme);
    };
    const withLabels = labelled && parent.clientWidth >= labelsFromWidth;
    let panning = false;
    let held: { range: Range; neededAt: number; zoom: Range | null } | null = null;

    const inView = (): Range => viewport.range ?? latest.current.full;

    function heightNow(): Range {
      const { drawn: all, hidden: out, live, clip, fixed } = latest.current;
      if (fixed && !(logY && fixed[0] <= 0)) return fixed;
      const shown = all.filter(({ id }) => !out.has(id));
      const found = heightOf(shown, inView(), { logY, clip });
      if (!found) return logY ? [0.1, 10] : [0, 1];
      const [low, high] = logY ? withAir(found) : airy(found);
      const zoom = viewport.range;
      const now = performance.now();
      if (!live || !held || held.zoom !== zoom) held = { range: [low, high], neededAt: now, zoom };
      else if (low <= held.range[0] || high >= held.range[1]) {
        const range: Range = [Math.min(low, held.range[0]), Math.max(high, held.range[1])];
        held = { ...held, range, neededAt: now };
      } else if (now - held.neededAt > shrinkAfterMs) {
        held = { range: [low, high], neededAt: now, zoom };
      }
      return held.range;
    }

    const frameOf = (u: uPlot): Frame => ({
      ...u.bbox,
      x: [u.scales.x?.min ?? 0, u.scales.x?.max ?? 1],
      y: [u.scales.y?.min ?? 0, u.scales.y?.max ?? 1],
      logX,
      logY,
      ratio: uPlot.pxRatio,
    });

    function paint(u: uPlot): void {
      const { drawn: all, hidden: out } = latest.current;
      const frame = frameOf(u);
      const { ctx } = u;
      const shown = all.flatMap((line, index) =>
        out.has(line.id) ? [] : [{ line, look: lookOf(index) }],
      );
      ctx.save();
      ctx.beginPath();
      ctx.rect(frame.left, frame.top, frame.width, frame.height);
      ctx.clip();
      const alone = shown.length === 1;
      for (const { line, look } of shown.length <= gapsAtMost ? shown : []) {
        const fill = alone ? { color: ink.text, alpha: 0.2 } : { color: look.color, alpha: 0.12 };
        paintGaps(ctx, line.gaps, frame, fill);
      }
      for (const { line, look } of shown) {
        const fill = { color: look.color, alpha: 0.16, breaks: line.breaks };
        if (line.band) paintBand(ctx, line, line.band, frame, fill);
      }
      const thin = shown.length > 20;
      for (const { line, look } of shown) {
        const { breaks } = line;
        const pen = { ...look, width: thin ? 1.25 : 1.75, alpha: 1, dots: true, breaks };
        if (!line.smooth) paintLine(ctx, line.x, line.y, frame, pen);
        else {
          const faint = { ...pen, dash: [], width: 1, alpha: shown.length > 10 ? 0.12 : 0.25 };
          paintLine(ctx, line.x, line.y, frame, { ...faint, dots: false });
          paintLine(ctx, line.x, line.smooth, frame, { ...pen, width: 2, dots: false });
        }
        paintMarks(ctx, line, frame, look.color);
        paintLate(ctx, line, frame, ink.late);
      }
      const ends = latest.current.ruler?.get();
      if (ends) {
        paintRuler(ctx, ends, frame, { ...ink, font: `600 ${11 * frame.ratio}px ${labelFont}` });
      }
      ctx.restore();
      if (withLabels) paintLabels(u, shown, frame);
    }

    function paintLabels(
      u: uPlot,
      shown: { line: Drawn; look: { color: string } }[],
      frame: Frame,
    ): void {
      const { ctx } = u;
      const { ratio } = frame;
      const ends = shown.map(({ line, look }) => ({
        label: line.label,
        color: look.color,
        x: line.x,
        y: line.smooth ?? line.y,
      }));
      const left = frame.left + frame.width + 6 * ratio;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left - ratio, 0, ctx.canvas.width - left, ctx.canvas.height);
      ctx.clip();
      ctx.font = `500 ${11 * ratio}px ${labelFont}`;
      ctx.textBaseline = "middle";
      ctx.textAlign = "left";
      ctx.lineWidth = 3 * ratio;
      ctx.strokeStyle = ink.background;
      for (const { label, color: fill, y } of endLabels(ends, frame)) {
        ctx.strokeText(label, left, y);
        ctx.fillStyle = fill;
        ctx.fillText(label, left, y);
      }
      ctx.restore();
    }

    function readCursor(u: uPlot): void {
      const { left = -10, top = -10 } = u.cursor;
      const { drawn: all, hidden: out } = latest.current;
      const at =
        pinned.current !== null && placing.current ? pinned.current : u.posToVal(left, "x");
      if (left < 0 || !Number.isFinite(at)) {
        dot.hidden = true;
        readings.set(null);
        return;
      }
      const [from, to] = inView();
      const reach = logX ? at / 10 : ((to - from) * 24) / Math.max(1, u.over.clientWidth);
      const values = all.map((line) => (out.has(line.id) ? null : readAt(line, at, reach)));
      const frame = frameOf(u);
      const { toX, toY } = placesOf(frame);
      const level = (index: number) => {
        const value = values[index]?.smooth ?? values[index]?.raw ?? Number.NaN;
        return (toY(value) - frame.top) / frame.ratio;
      };
      let nearest: number | null = null;
      for (const [index, value] of values.entries()) {
        if (!value || !Number.isFinite(level(index))) continue;
        if (nearest === null) nearest = index;
        else if (Math.abs(level(index) - top) < Math.abs(level(nearest) - top)) nearest = index;
      }
      const own = u.cursor.event != null || placing.current;
      const read = nearest === null ? null : values[nearest];
      dot.hidden = !read;
      if (read && nearest !== null) {
        const x = (toX(read.x) - frame.left) / frame.ratio;
        dot.style.transform = `translate(${x}px, ${level(nearest)}px)`;
        dot.style.background = lookOf(nearest).color;
      }
      readings.set({
        // A single line's own point; among many the place of the one that is pointed at.
        x: read?.x ?? at,
        values,
        nearest,
        at: own ? { left: left + u.bbox.left / uPlot.pxRatio, top, width: u.width } : null,
      });
    }

    const font = `11px ${labelFont}`;
    const options: uPlot.Options = {
      width: parent.clientWidth || 400,
      height: latest.current.height,
      padding: [8, withLabels ? labelSpace(names, parent.clientWidth) : 14, 0, 0],
      legend: { show: false },
      scales: {
        x: { time: false, distr: logX ? 3 : 1, range: () => inView() as uPlot.Range.MinMax },
        y: { distr: logY ? 3 : 1, range: () => heightNow() as uPlot.Range.MinMax },
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
          ...(logX || axis === "value" ? {} : { incrs: tickSteps(axis) }),
          values: (_, places, __, ___, increment) =>
            logX
              ? places.map((at) => (at === null ? "" : (words.xTicks(axis, [at], at)[0] ?? "")))
              : words.xTicks(axis, places, increment),
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
      // uPlot draws none of our lines: it would want all of them on one shared column of places.
      series: [{}, { show: true, paths: () => null, points: { show: false } }],
      cursor: {
        drag: { x: true, y: false, setScale: false, dist: 4 },
        points: { show: false },
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
          // Whoever drags the picture looks at it, not at single values.
          mousemove: (_, __, handle) => (event) => {
            if (!panning) handle(event);
            return null;
          },
          dblclick: () => () => {
            viewport.choose(null);
            return null;
          },
        },
      },
      hooks: {
        draw: [paint],
        setSelect: [
          (u) => {
            const { left, width } = u.select;
            if (width < 4) return;
            viewport.choose([u.posToVal(left, "x"), u.posToVal(left + width, "x")]);
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          },
        ],
        setCursor: [readCursor],
      },
    };

    const u = new uPlot(options, noData, parent);
    plot.current = u;
    const dot = document.createElement("div");
    dot.className = classes.dot ?? "";
    dot.hidden = true;
    u.over.append(dot);

    const draw = () => {
      if (latest.current.asleep) return;
      const [from, to] = inView();
      u.batch(() => u.setScale("x", { min: from, max: to }));
      putBack(u, pinned, placing, latest.current.drawn);
    };
    show.current = draw;
    const leave = viewport.add(draw);

    const pan = (range: Range, share: number) =>
      viewport.move(panned(range, latest.current.full, share, logX), draw);
    const onWheel = (event: WheelEvent) => {
      const { full } = latest.current;
      const range = inView();
      const width = u.over.clientWidth || 1;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const centre = u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x");
        const factor = Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004);
        viewport.move(zoomed(range, full, factor, centre, logX), draw);
      } else if (
        viewport.range &&
        (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
      ) {
        event.preventDefault();
        pan(range, (event.deltaX || event.deltaY) / width);
      }
    };
    function startPan(_: uPlot, down: MouseEvent): void {
      const range = viewport.range;
      if (!range) return;
      const width = u.over.clientWidth || 1;
      panning = true;
      u.setCursor({ left: -10, top: -10 });
      const onMove = (event: MouseEvent) => pan(range, (down.clientX - event.clientX) / width);
      const onUp = () => {
        panning = false;
        document.removeEventListener("mousemove", onMove);
        document.removeEventListener("mouseup", onUp);
      };
      document.addEventListener("mousemove", onMove);
      document.addEventListener("mouseup", onUp);
    }
    const onLeave = () => {
      u.cursor.event = undefined;
    };
    const onTouch = (event: PointerEvent) => {
      if (event.pointerType !== "touch") return;
      const box = u.over.getBoundingClientRect();
      pinned.current = u.posToVal(event.clientX - box.left, "x");
      putBack(u, pinned, placing, latest.current.drawn);
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
      leave();
      plot.current = null;
      show.current = () => undefined;
      readings.set(null);
      u.destroy();
    };
  }, [names, axis, logX, logY, scheme, i18n.locale, group, readings, viewport]);

  const { full, fixed, clip, asleep } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: draws again for whatever is drawn
  useEffect(() => show.current(), [drawn, full, fixed, clip, asleep, hidden]);

  const { ruler } = props;
  useEffect(() => ruler?.subscribe(() => show.current()), [ruler]);

  useEffect(() => {
    const u = plot.current;
    if (u && u.height !== height) u.setSize({ width: u.width, height });
  }, [height]);

  useImperativeHandle(ref, () => ({
    step: (by) => {
      const u = plot.current;
      const { drawn: all, hidden: out, full: whole } = latest.current;
      const shown = all.filter(({ id }) => !out.has(id));
      if (!u || shown.length === 0) return;
      const range = viewport.range ?? whole;
      const [first, last] = endsIn(shown, range);
      if (first === null || last === null) return;
      if (by === "first" || by === "last") pinned.current = by === "first" ? first : last;
      else if (pinned.current === null) pinned.current = by > 0 ? first : last;
      else {
        const direction = by > 0 ? 1 : -1;
        for (let left = Math.abs(by); left > 0; left--) {
          const next = neighbour(shown, pinned.current, direction, range);
          if (next === null) break;
          pinned.current = next;
        }
      }
      putBack(u, pinned, placing, shown);
    },
    leave: () => {
      pinned.current = null;
      plot.current?.setCursor({ left: -10, top: -10 }, true);
    },
    canvas: () => plot.current?.ctx.canvas ?? null,
  }));

  return <div ref={place} className={classes.canvas} style={{ height }} />;
}

/** The first and the last place in the range where any line has a point. */
function endsIn(lines: readonly Drawn[], range: Range): [number | null, number | null] {
  let first: number | null = null;
  let last: number | null = null;
  for (const line of lines) {
    const [from, end] = within(line, range);
    if (end <= from) continue;
    first = Math.min(first ?? Number.POSITIVE_INFINITY, line.x[from] ?? 0);
    last = Math.max(last ?? Number.NEGATIVE_INFINITY, line.x[end - 1] ?? 0);
  }
  return [first, last];
}

/** Puts the keyboard's cursor on its point, also after the picture has moved under it. */
function putBack(
  u: uPlot,
  pinned: RefObject<number | null>,
  placing: RefObject<boolean>,
  lines: readonly Drawn[],
): void {
  if (pinned.current === null) return;
  const at = pinned.current;
  const reads = lines.map((line) => readAt(line, at, 0)).filter((one) => one !== null);
  const read = reads.find(({ x }) => x === at) ?? reads[0];
  const value = read?.smooth ?? read?.raw ?? Number.NaN;
  placing.current = true;
  u.setCursor({
    left: Math.max(0, u.valToPos(at, "x")),
    top: Number.isFinite(value) ? u.valToPos(value, "y") : u.over.clientHeight / 2,
  });
  placing.current = false;
}

/** The values with a little air on both sides, from round number to round number. */
function airy([low, high]: Range): Range {
  return uPlot.rangeNum(low, high, 0.1, true) as [number, number];
}

/** The same on a scale of powers of ten. */
function withAir([min, max]: Range): Range {
  const [low, high] = [Math.log10(min), Math.log10(max)];
  const air = Math.max((high - low) * 0.06, 0.02);
  return [10 ** (low - air), 10 ** (high + air)];
}

function labelSpace(names: string, width: number): number {
  const longest = Math.max(...names.split("\n").map((name) => name.length));
  return Math.min(longest * 6.2 + 14, width * 0.25);
}
