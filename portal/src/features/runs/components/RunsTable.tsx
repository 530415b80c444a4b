import { useLingui } from "@lingui/react/macro";
import { IconArrowDown, IconArrowUp, IconEyeOff } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Run } from "@/api/generated/models/run";
import { useShortcut } from "@/ui/shortcuts";
import { type ColumnId, sortKeyOf, widthOf } from "../columns";
import { nextSort } from "../filter";
import { between, toggled } from "../selection";
import { isNumeric, type LinkTo, RunCell } from "./cells";
import { useColumnName } from "./column-names";
import classes from "./RunsTable.module.css";
import { Swatch } from "./Swatch";

const rowHeight = 36;

type Props = {
  label: string;
  runs: Run[];
  columns: readonly ColumnId[];
  sort: string;
  onSort: (sort: string | undefined) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  /** Runs that charts leave out, and the looks of those that they draw. */
  hidden: ReadonlySet<string>;
  looks: ReadonlyMap<string, number>;
  /** Missing where there are no charts. */
  onHide?: (id: string, hidden: boolean) => void;
  runLink: LinkTo;
  experimentLink: LinkTo;
  /** Called when the last rows come into view. */
  onEnd: () => void;
  /** How many runs there are in all, -1 while that is not known. */
  total: number;
  refreshing: boolean;
  /** Whether somebody is in the table with pointer or focus, or has scrolled away from its top. */
  onEngaged: (engaged: boolean) => void;
  children?: ReactNode;
};

/** Any number of runs in rows of equal height; only those in view, and the focused one, are in the page. */
export function RunsTable(props: Props) {
  const { runs, columns, sort, onSort, selected, onSelect, hidden, onHide, total } = props;
  const { t } = useLingui();
  const columnName = useColumnName();
  const frame = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const focusAsked = useRef(false);
  const engagement = useRef({ pointer: false, focus: false, scrolled: false });

  const numericNames = columns.filter((column) => isNumeric(column, runs)).join("\n");
  const numeric = useMemo(() => new Set(numericNames.split("\n")), [numericNames]);
  const activeIndex = active === null ? -1 : runs.findIndex(({ id }) => id === active);

  const vertical = useVirtualizer({
    count: runs.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollPaddingStart: rowHeight,
    getItemKey: (index) => runs[index]?.id ?? index,
    // The row with the focus stays in the page, or scrolling away would lose the focus.
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const first = Math.max(0, startIndex - overscan);
      const last = Math.min(count - 1, endIndex + overscan);
      const shown = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
      if (activeIndex < 0 || (activeIndex >= first && activeIndex <= last)) return shown;
      return [...shown, activeIndex].sort((a, b) => a - b);
    },
  });
  const horizontal = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => frame.current,
    estimateSize: (index) => widthOf(columns[index] ?? ""),
    overscan: 4,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: other columns have other widths
  useEffect(() => horizontal.measure(), [columns]);

  const items = vertical.getVirtualItems();
  const lastShown = items.at(-1)?.index ?? 0;
  const { onEnd } = props;
  useEffect(() => {
    if (runs.length > 0 && lastShown >= runs.length - 20) onEnd();
  }, [lastShown, runs.length, onEnd]);

  useEffect(() => {
    if (!focusAsked.current || active === null) return;
    focusAsked.current = false;
    frame.current
      ?.querySelector<HTMLElement>(`[data-run="${CSS.escape(active)}"] a`)
      ?.focus({ preventScroll: true });
  });

  function engage(change: Partial<typeof engagement.current>): void {
    Object.assign(engagement.current, change);
    props.onEngaged(Object.values(engagement.current).some(Boolean));
  }

  function moveTo(index: number): void {
    const place = Math.min(Math.max(index, 0), runs.length - 1);
    const run = runs[place];
    if (!run) return;
    focusAsked.current = true;
    setActive(run.id);
    vertical.scrollToIndex(place, { align: "auto" });
  }

  function extend(by: number): void {
    const from = runs[activeIndex];
    const to = runs[activeIndex + by];
    if (from && to) onSelect(new Set([...selected, from.id, to.id]));
    moveTo(activeIndex + by);
  }

  function select(id: string, range: boolean): void {
    const ids = runs.map((run) => run.id);
    onSelect(
      range && active ? new Set([...selected, ...between(ids, active, id)]) : toggled(selected, id),
    );
    setActive(id);
  }

  const latestSelect = useRef(select);
  useEffect(() => {
    latestSelect.current = select;
  });
  const onRowSelect = useCallback(
    (id: string, range: boolean) => latestSelect.current(id, range),
    [],
  );

  useShortcut("rowNext", () => moveTo(activeIndex + 1));
  useShortcut("rowPrevious", () => moveTo(activeIndex < 0 ? 0 : activeIndex - 1));
  useShortcut("rowSelect", () => active && select(active, false));
  useShortcut(
    "rowHide",
    () => active && onHide?.(active, !hidden.has(active)),
    onHide !== undefined,
  );
  useShortcut("rowExtendDown", () => extend(1));
  useShortcut("rowExtendUp", () => extend(-1));

  const virtualColumns = horizontal.getVirtualItems();
  const firstColumn = virtualColumns[0]?.index ?? 0;
  const lastColumn = virtualColumns.at(-1)?.index ?? -1;
  const shownColumns = useMemo(
    () =>
      columns
        .slice(firstColumn, lastColumn + 1)
        .map((id, offset): ShownColumn => ({ id, place: firstColumn + offset, size: widthOf(id) })),
    [columns, firstColumn, lastColumn],
  );
  const before = virtualColumns[0]?.start ?? 0;
  const after = horizontal.getTotalSize() - (virtualColumns.at(-1)?.end ?? 0);
  const width = horizontal.getTotalSize() + pinnedWidth();
  const allSelected = runs.length > 0 && runs.every(({ id }) => selected.has(id));

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
      {props.children}
      {/* biome-ignore-start lint/a11y/useSemanticElements: rows stand where the virtualiser puts them, outside of a table's flow */}
      {/* biome-ignore-start lint/a11y/useFocusableInteractive: the focus is on the link and box inside each row */}
      <div
        role="table"
        aria-label={props.label}
        aria-rowcount={total < 0 ? -1 : total + 1}
        aria-colcount={columns.length + 1}
        aria-busy={props.refreshing}
        className={classes.table}
        style={{ minWidth: width }}
      >
        <div role="rowgroup" className={classes.head}>
          <div role="row" aria-rowindex={1} className={classes.row}>
            <div
              role="columnheader"
              aria-colindex={1}
              aria-sort={ariaSort("name", sort)}
              className={`${classes.cell} ${classes.pinned}`}
              style={{ width: pinnedWidth() }}
            >
              <label className={classes.box}>
                <input
                  type="checkbox"
                  aria-label={t`Select all runs that are loaded`}
                  checked={allSelected}
                  ref={(box) => {
                    if (box) box.indeterminate = !allSelected && selected.size > 0;
                  }}
                  onChange={() =>
                    onSelect(allSelected ? new Set() : new Set(runs.map(({ id }) => id)))
                  }
                />
              </label>
              <HeadButton column="name" name={columnName("name")} sort={sort} onSort={onSort} />
            </div>
            <span style={{ flex: `0 0 ${before}px` }} />
            {shownColumns.map(({ id: column, place, size }) => {
              return (
                <div
                  key={column}
                  role="columnheader"
                  aria-colindex={place + 2}
                  aria-sort={ariaSort(column, sort)}
                  className={
                    numeric.has(column) ? `${classes.cell} ${classes.numeric}` : classes.cell
                  }
                  style={{ width: size }}
                >
                  <HeadButton
                    column={column}
                    name={columnName(column)}
                    sort={sort}
                    onSort={onSort}
                  />
                </div>
              );
            })}
            <span className={`${classes.cell} ${classes.filler}`} style={{ minWidth: after }} />
          </div>
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: vertical.getTotalSize() }}>
          {items.map(({ index, start }) => {
            const run = runs[index];
            if (!run) return null;
            return (
              <Row
                key={run.id}
                run={run}
                index={index}
                start={start}
                selected={selected.has(run.id)}
                hidden={hidden.has(run.id)}
                look={props.looks.get(run.id)}
                onHide={onHide}
                columns={shownColumns}
                numeric={numeric}
                before={before}
                after={after}
                onSelect={onRowSelect}
                onActive={setActive}
                runLink={props.runLink}
                experimentLink={props.experimentLink}
              />
            );
          })}
        </div>
      </div>
      {/* biome-ignore-end lint/a11y/useFocusableInteractive: see above */}
      {/* biome-ignore-end lint/a11y/useSemanticElements: see above */}
    </div>
  );
}

type ShownColumn = { id: ColumnId; place: number; size: number };

type RowProps = {
  run: Run;
  index: number;
  start: number;
  selected: boolean;
  hidden: boolean;
  look: number | undefined;
  onHide?: (id: string, hidden: boolean) => void;
  columns: readonly ShownColumn[];
  numeric: ReadonlySet<ColumnId>;
  before: number;
  after: number;
  onSelect: (id: string, range: boolean) => void;
  onActive: (id: string) => void;
  runLink: LinkTo;
  experimentLink: LinkTo;
};

/** One run. It is drawn again only when itself, its place or the columns change. */
const Row = memo(function Row(props: RowProps) {
  const { run, index, columns, numeric, hidden, onHide } = props;
  const { t } = useLingui();
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: see RunsTable
    // biome-ignore-start lint/a11y/useFocusableInteractive: see RunsTable
    <div
      role="row"
      data-run={run.id}
      aria-rowindex={index + 2}
      aria-selected={props.selected}
      data-hidden={hidden || undefined}
      className={classes.row}
      style={{ transform: `translateY(${props.start}px)` }}
      onFocus={() => props.onActive(run.id)}
    >
      <div
        role="rowheader"
        aria-colindex={1}
        className={`${classes.cell} ${classes.pinned}`}
        style={{ width: pinnedWidth() }}
      >
        <label className={classes.box}>
          <input
            type="checkbox"
            aria-label={t`Select ${run.name}`}
            checked={props.selected}
            onClick={(event) => props.onSelect(run.id, event.shiftKey)}
            readOnly
          />
        </label>
        {onHide ? (
          <button
            type="button"
            className={classes.eye}
            aria-pressed={!hidden}
            aria-label={t`Draw ${run.name}`}
            title={hidden ? t`Show in charts` : t`Hide from charts`}
            onClick={() => onHide(run.id, !hidden)}
          >
            {hidden ? <IconEyeOff size={15} aria-hidden /> : <Swatch look={props.look} />}
          </button>
        ) : null}
        {props.runLink(run, run.name, classes.name)}
      </div>
      <span style={{ flex: `0 0 ${props.before}px` }} />
      {columns.map(({ id, place, size }) => (
        <div
          key={id}
          role="cell"
          aria-colindex={place + 2}
          className={numeric.has(id) ? `${classes.cell} ${classes.numeric}` : classes.cell}
          style={{ width: size }}
        >
          <RunCell run={run} column={id} experimentLink={props.experimentLink} />
        </div>
      ))}
      <span className={`${classes.cell} ${classes.filler}`} style={{ minWidth: props.after }} />
    </div>
    // biome-ignore-end lint/a11y/useFocusableInteractive: see RunsTable
    // biome-ignore-end lint/a11y/useSemanticElements: see RunsTable
  );
});

/** The name keeps its place while the rest scrolls, so on a phone it must leave room for the rest. */
function pinnedWidth(): number {
  return Math.min(widthOf("name") + 64, Math.max(150, window.innerWidth * 0.46));
}

type HeadProps = {
  column: ColumnId;
  name: string;
  sort: string;
  onSort: (sort: string | undefined) => void;
};

function HeadButton({ column, name, sort, onSort }: HeadProps) {
  const key = sortKeyOf(column);
  if (!key) return <span className={classes.text}>{name}</span>;
  const Mark = sort === key ? IconArrowUp : IconArrowDown;
  return (
    <button
      type="button"
      className={classes.sort}
      title={name}
      onClick={() => onSort(nextSort(key, sort))}
    >
      <span className={classes.text}>{name}</span>
      {sort === key || sort === `-${key}` ? (
        <Mark size={14} aria-hidden style={{ flex: "none" }} />
      ) : null}
    </button>
  );
}

function ariaSort(column: ColumnId, sort: string): "ascending" | "descending" | "none" | undefined {
  const key = sortKeyOf(column);
  if (!key) return undefined;
  if (sort === key) return "ascending";
  return sort === `-${key}` ? "descending" : "none";
}
