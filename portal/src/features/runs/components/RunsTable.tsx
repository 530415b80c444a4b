import { useLingui } from "@lingui/react/macro";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Run } from "@/api/generated/models/run";
import { useShortcut } from "@/ui/shortcuts";
import { type ColumnId, widthOf } from "../columns";
import type { TableRow } from "../groups";
import { between, toggled } from "../selection";
import { isNumeric, type LinkTo } from "./cells";
import { GroupRow, RestRow } from "./GroupRow";
import { type RowActions, RunRow } from "./RunRow";
import classes from "./RunsTable.module.css";
import { type ColumnActions, TableHead } from "./TableHead";
import type { Placed, RowFrame } from "./table-frame";

const rowHeight = 36;

type Props = {
  label: string;
  /** Runs that stay on top, the baseline before all. */
  pinned: readonly Run[];
  rows: readonly TableRow[];
  columns: readonly ColumnId[];
  /** How many of the columns keep their place beside the name. */
  fixed: number;
  widths: Readonly<Record<string, number>>;
  by: readonly string[];
  /** All runs that are loaded, to see what their columns hold. */
  runs: readonly Run[];
  sort: readonly string[];
  columnActions: ColumnActions;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  /** Runs that charts leave out, and the looks of those that they draw. */
  hidden: ReadonlySet<string>;
  looks: ReadonlyMap<string, number>;
  base: Run | null;
  withCharts: boolean;
  onHide: (ids: readonly string[], hidden: boolean) => void;
  onPin: (id: string) => void;
  onBase: (id: string) => void;
  onLook: (id: string, look: number | undefined) => void;
  onOpen: (groupKey: string) => void;
  onRest: (groupKey: string) => void;
  runLink: LinkTo;
  experimentLink: LinkTo;
  /** Called when the last rows come into view. */
  onEnd: () => void;
  /** How many rows there are in all, -1 while that is not known. */
  total: number;
  refreshing: boolean;
  /** Whether somebody is in the table with pointer or focus, or has scrolled away from its top. */
  onEngaged: (engaged: boolean) => void;
};

/** Any number of runs in rows of equal height; only those in view, and the focused one, are in the page. */
export function RunsTable(props: Props) {
  const { pinned, rows, columns, fixed, widths, runs, selected, onSelect, hidden, total } = props;
  const { t } = useLingui();
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const focusAsked = useRef(false);
  const anchor = useRef<string | null>(null);
  const engagement = useRef({ pointer: false, focus: false, scrolled: false });

  const numericNames = columns.filter((column) => isNumeric(column, runs)).join("\n");
  const numeric = useMemo(() => new Set(numericNames.split("\n")), [numericNames]);
  const lines = useMemo(
    () => [...pinned.map((run) => `pin:${run.id}`), ...rows.map(({ key }) => key)],
    [pinned, rows],
  );
  const activeLine = active === null ? -1 : lineOf(lines, active);
  const activeIndex = activeLine - pinned.length;
  const headHeight = rowHeight * (1 + pinned.length);

  const vertical = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollPaddingStart: headHeight,
    getItemKey: (index) => rows[index]?.key ?? index,
    // The row with the focus stays in the page, or scrolling away would lose the focus.
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const first = Math.max(0, startIndex - overscan);
      const last = Math.min(count - 1, endIndex + overscan);
      const shown = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
      if (activeIndex < 0 || (activeIndex >= first && activeIndex <= last)) return shown;
      return [...shown, activeIndex].sort((a, b) => a - b);
    },
  });
  // A mean has a deviation beside it, and a measured value its distance from the baseline.
  const roomy = props.by.length > 0 || props.base !== null;
  const width = useCallback(
    (column: ColumnId) =>
      widths[column] ??
      (roomy && column.startsWith("metrics.") ? Math.max(156, widthOf(column)) : widthOf(column)),
    [widths, roomy],
  );
  const scrolling = useMemo(() => columns.slice(fixed), [columns, fixed]);
  const horizontal = useVirtualizer({
    horizontal: true,
    count: scrolling.length,
    getScrollElement: () => frame.current,
    estimateSize: (index) => width(scrolling[index] ?? ""),
    overscan: 4,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: other columns have other widths
  useEffect(() => horizontal.measure(), [scrolling, width]);

  const items = vertical.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const { onEnd } = props;
  useEffect(() => {
    if (rows.length > 0 && lastShown >= rows.length - 20) onEnd();
  }, [lastShown, rows.length, onEnd]);

  useEffect(() => {
    if (!focusAsked.current || active === null) return;
    focusAsked.current = false;
    const line = lines[lineOf(lines, active)] ?? active;
    frame.current
      ?.querySelector<HTMLElement>(`[data-line="${CSS.escape(line)}"] [data-main]`)
      ?.querySelector<HTMLElement>("a, button")
      ?.focus({ preventScroll: true });
  });

  function engage(change: Partial<typeof engagement.current>): void {
    Object.assign(engagement.current, change);
    props.onEngaged(Object.values(engagement.current).some(Boolean));
  }

  function moveTo(line: number): void {
    const place = Math.min(Math.max(line, 0), lines.length - 1);
    const key = lines[place];
    if (key === undefined) return;
    focusAsked.current = true;
    setActive(key);
    const index = place - pinned.length;
    if (index >= 0) vertical.scrollToIndex(index, { align: "auto" });
  }

  /** The runs behind a line: its own, or the members of its group. */
  function runsOf(line: string | undefined): readonly string[] {
    if (line === undefined) return [];
    if (line.startsWith("pin:")) return [line.slice(4)];
    const row = rows.find(({ key }) => key === line);
    if (row?.kind === "run") return [row.run.id];
    return row?.kind === "group" ? row.group.run_ids : [];
  }

  function extend(by: number): void {
    const ids = [...runsOf(lines[activeLine]), ...runsOf(lines[activeLine + by])];
    onSelect(new Set([...selected, ...ids]));
    moveTo(activeLine + by);
  }

  function select(line: string, range: boolean): void {
    if (range && anchor.current !== null) {
      const ids = between(lines, anchor.current, line).flatMap(runsOf);
      onSelect(new Set([...selected, ...ids]));
    } else {
      const ids = runsOf(line);
      if (ids.length === 1 && ids[0]) onSelect(toggled(selected, ids[0]));
      else if (ids.every((id) => selected.has(id))) {
        onSelect(new Set([...selected].filter((id) => !ids.includes(id))));
      } else onSelect(new Set([...selected, ...ids]));
    }
    anchor.current = line;
    setActive(line);
  }

  const latest = useRef({ ...props, select });
  useEffect(() => {
    latest.current = { ...props, select };
  });
  // Rows are drawn again only when they change, so what they call must stay the same.
  const actions = useMemo<RowActions>(
    () => ({
      select: (line, range) => latest.current.select(line, range),
      activate: setActive,
      hide: (ids, hide) => latest.current.onHide(ids, hide),
      pin: (id) => latest.current.onPin(id),
      base: (id) => latest.current.onBase(id),
      look: (id, look) => latest.current.onLook(id, look),
      open: (key) => latest.current.onOpen(key),
      rest: (key) => latest.current.onRest(key),
    }),
    [],
  );

  const onActive = (act: (ids: readonly string[]) => void) => () => {
    const ids = runsOf(lines[activeLine]);
    if (ids.length > 0) act(ids);
  };
  useShortcut("rowNext", () => moveTo(activeLine + 1));
  useShortcut("rowPrevious", () => moveTo(activeLine < 0 ? 0 : activeLine - 1));
  useShortcut("rowSelect", () => {
    const line = lines[activeLine];
    if (line !== undefined) select(line, false);
  });
  useShortcut("rowExtendDown", () => extend(1));
  useShortcut("rowExtendUp", () => extend(-1));
  useShortcut(
    "rowHide",
    onActive((ids) => props.onHide(ids, !ids.every((id) => hidden.has(id)))),
    props.withCharts,
  );
  const onActiveRun = (act: (id: string) => void) =>
    onActive(([id]) => {
      if (!id || active?.startsWith("group:")) return;
      // The run may stand elsewhere then; the focus goes with it.
      focusAsked.current = true;
      act(id);
    });
  useShortcut("rowPin", onActiveRun(props.onPin));
  useShortcut("rowBase", onActiveRun(props.onBase));

  const virtualColumns = horizontal.getVirtualItems();
  const firstColumn = virtualColumns[0]?.index ?? 0;
  const lastColumn = virtualColumns.at(-1)?.index ?? -1;
  const nameWidth = pinnedWidth(widths.name);
  const stuck = useMemo(() => {
    let start = nameWidth;
    return columns.slice(0, fixed).map((id, place): Placed => {
      const placed = { id, place, size: width(id), start };
      start += placed.size;
      return placed;
    });
  }, [columns, fixed, width, nameWidth]);
  const stuckWidth = stuck.reduce((sum, { size }) => sum + size, 0);
  const shown = useMemo(
    () =>
      scrolling
        .slice(firstColumn, lastColumn + 1)
        .map(
          (id, offset): Placed => ({ id, place: fixed + firstColumn + offset, size: width(id) }),
        ),
    [scrolling, fixed, firstColumn, lastColumn, width],
  );
  const before = virtualColumns[0]?.start ?? 0;
  const after = horizontal.getTotalSize() - (virtualColumns.at(-1)?.end ?? 0);
  const rowFrame = useMemo<RowFrame>(
    () => ({ nameWidth, stuck, shown, numeric, before, after }),
    [nameWidth, stuck, shown, numeric, before, after],
  );
  const loaded = useMemo(
    () => [
      ...new Set([
        ...pinned.map(({ id }) => id),
        ...rows.flatMap((row) => (row.kind === "run" ? [row.run.id] : [])),
      ]),
    ],
    [pinned, rows],
  );
  const allSelected = loaded.length > 0 && loaded.every((id) => selected.has(id));
  const row = (run: Run, line: string, index: number, start: number | null) => (
    <RunRow
      key={line}
      run={run}
      line={line}
      index={index}
      start={start}
      frame={rowFrame}
      selected={selected.has(run.id)}
      hidden={hidden.has(run.id)}
      look={props.looks.get(run.id)}
      pinned={start === null}
      base={props.base}
      nested={props.by.length > 0 && start !== null}
      withCharts={props.withCharts}
      actions={actions}
      runLink={props.runLink}
      experimentLink={props.experimentLink}
    />
  );

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only notices that somebody is here
    <div
      ref={frame}
      className={props.refreshing ? `${classes.frame} ${classes.refreshing}` : classes.frame}
      onPointerEnter={() => engage({ pointer: true })}
      onPointerLeave={() => engage({ pointer: false })}
      onFocus={() => engage({ focus: true })}
      onBlur={(event) => engage({ focus: event.currentTarget.contains(event.relatedTarget) })}
      onScroll={(event) => engage({ scrolled: event.currentTarget.scrollTop > rowHeight })}
    >
      {/* biome-ignore-start lint/a11y/useSemanticElements: rows stand where the virtualiser puts them, outside of a table's flow */}
      <div
        role="table"
        aria-label={props.label}
        aria-rowcount={total < 0 ? -1 : total + pinned.length + 1}
        aria-colcount={columns.length + 1}
        aria-busy={props.refreshing}
        className={classes.table}
        style={{ minWidth: horizontal.getTotalSize() + nameWidth + stuckWidth }}
      >
        <div role="rowgroup" className={classes.head}>
          <TableHead
            frame={rowFrame}
            columns={columns}
            fixed={fixed}
            sort={props.sort}
            actions={props.columnActions}
          >
            <label className={classes.box}>
              <input
                type="checkbox"
                aria-label={t`Select all runs that are loaded`}
                checked={allSelected}
                ref={(box) => {
                  if (box) box.indeterminate = !allSelected && selected.size > 0;
                }}
                onChange={() => onSelect(new Set(allSelected ? [] : loaded))}
              />
            </label>
          </TableHead>
          {pinned.map((run, at) => row(run, `pin:${run.id}`, at, null))}
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: vertical.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const item = rows[index];
            if (!item) return null;
            const at = index + pinned.length;
            if (item.kind === "run") return row(item.run, item.key, at, start);
            if (item.kind === "rest") {
              return (
                <RestRow
                  key={item.key}
                  row={item}
                  index={at}
                  start={start}
                  frame={rowFrame}
                  actions={actions}
                />
              );
            }
            const ids = item.group.run_ids;
            const chosen = ids.filter((id) => selected.has(id)).length;
            return (
              <GroupRow
                key={item.key}
                line={item.key}
                group={item.group}
                open={item.open}
                by={props.by}
                index={at}
                start={start}
                frame={rowFrame}
                chosen={chosen === 0 ? "none" : chosen === ids.length ? "all" : "some"}
                hidden={ids.length > 0 && ids.every((id) => hidden.has(id))}
                look={ids.map((id) => props.looks.get(id)).find((look) => look !== undefined)}
                withCharts={props.withCharts}
                actions={actions}
              />
            );
          })}
        </div>
      </div>
      {/* biome-ignore-end lint/a11y/useSemanticElements: see above */}
    </div>
  );
}

/** Where a line stands, also after its run went to the top or came back from there. */
function lineOf(lines: readonly string[], line: string): number {
  const at = lines.indexOf(line);
  if (at >= 0) return at;
  return lines.indexOf(line.startsWith("pin:") ? line.slice("pin:".length) : `pin:${line}`);
}

/** The name keeps its place while the rest scrolls, so on a phone it must leave room for the rest. */
function pinnedWidth(wanted = widthOf("name")): number {
  return Math.min(wanted, Math.max(150, window.innerWidth * 0.46));
}
