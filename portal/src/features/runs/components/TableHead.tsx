import { useLingui } from "@lingui/react/macro";
import { IconArrowDown, IconArrowUp, IconDotsVertical } from "@tabler/icons-react";
import { lazy, type PointerEvent, type ReactNode, Suspense, useRef, useState } from "react";
import { type ColumnId, sortKeyOf } from "../columns";
import { nextSort } from "../workspace";
import { useColumnName } from "./column-names";
import classes from "./RunsTable.module.css";
import { type Placed, placeOf, type RowFrame } from "./table-frame";

const ColumnMenu = lazy(() => import("./ColumnMenu"));

export type ColumnActions = {
  onSort: (sort: string[] | undefined) => void;
  onMove: (column: ColumnId, to: number) => void;
  onWidth: (column: ColumnId, width: number | undefined) => void;
  onFix: (column: ColumnId, fixed: boolean) => void;
  onHide: (column: ColumnId) => void;
  /** Groups by the column; missing for what cannot be grouped by. */
  onGroup: (column: ColumnId) => void;
};

type Props = {
  frame: RowFrame;
  columns: readonly ColumnId[];
  fixed: number;
  sort: readonly string[];
  actions: ColumnActions;
  /** Before the name: the box that selects all. */
  children: ReactNode;
};

/** Names of the columns: sorting, order and width. */
export function TableHead({ frame, columns, fixed, sort, actions, children }: Props) {
  const columnName = useColumnName();
  const [dragged, setDragged] = useState<ColumnId | null>(null);
  const [over, setOver] = useState<ColumnId | null>(null);
  const cell = (column: Placed, stuck: boolean) => (
    // biome-ignore lint/a11y/useSemanticElements: see RunsTable
    // biome-ignore lint/a11y/useFocusableInteractive: the buttons inside have the focus
    <div
      key={column.id}
      role="columnheader"
      aria-colindex={column.place + 2}
      aria-sort={ariaSort(column.id, sort)}
      draggable
      data-over={(over === column.id && dragged !== column.id) || undefined}
      className={[
        classes.cell,
        frame.numeric.has(column.id) ? classes.numeric : "",
        stuck ? classes.stuck : "",
      ].join(" ")}
      style={placeOf(column)}
      onDragStart={(event) => {
        event.dataTransfer.setData("text/plain", column.id);
        event.dataTransfer.effectAllowed = "move";
        setDragged(column.id);
      }}
      onDragEnd={() => {
        setDragged(null);
        setOver(null);
      }}
      onDragOver={(event) => {
        if (dragged === null) return;
        event.preventDefault();
        setOver(column.id);
      }}
      onDrop={(event) => {
        event.preventDefault();
        if (dragged !== null && dragged !== column.id) actions.onMove(dragged, column.place);
      }}
    >
      <HeadButton column={column.id} name={columnName(column.id)} sort={sort} actions={actions} />
      <HeadMenu
        column={column}
        columns={columns}
        fixed={fixed}
        name={columnName(column.id)}
        sort={sort}
        actions={actions}
      />
      <WidthHandle size={column.size} onWidth={(width) => actions.onWidth(column.id, width)} />
    </div>
  );
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: see RunsTable
    // biome-ignore-start lint/a11y/useFocusableInteractive: the buttons inside have the focus
    <div role="row" aria-rowindex={1} className={classes.row}>
      <div
        role="columnheader"
        aria-colindex={1}
        aria-sort={ariaSort("name", sort)}
        className={`${classes.cell} ${classes.pinned}`}
        style={{ width: frame.nameWidth }}
      >
        {children}
        <HeadButton column="name" name={columnName("name")} sort={sort} actions={actions} />
        <WidthHandle size={frame.nameWidth} onWidth={(width) => actions.onWidth("name", width)} />
      </div>
      {frame.stuck.map((column) => cell(column, true))}
      <span style={{ flex: `0 0 ${frame.before}px` }} />
      {frame.shown.map((column) => cell(column, false))}
      <span className={`${classes.cell} ${classes.filler}`} style={{ minWidth: frame.after }} />
    </div>
    // biome-ignore-end lint/a11y/useFocusableInteractive: see above
    // biome-ignore-end lint/a11y/useSemanticElements: see RunsTable
  );
}

type HeadProps = {
  column: ColumnId;
  name: string;
  sort: readonly string[];
  actions: ColumnActions;
};

function HeadButton({ column, name, sort, actions }: HeadProps) {
  const { t } = useLingui();
  const key = sortKeyOf(column);
  if (!key) return <span className={classes.text}>{name}</span>;
  const at = placeIn(sort, key);
  const Mark = sort[at] === key ? IconArrowUp : IconArrowDown;
  return (
    <button
      type="button"
      className={classes.sort}
      title={t`${name}: sort; with ⇧ as a further key`}
      onClick={(event) => actions.onSort(nextSort(key, sort, event.shiftKey))}
    >
      <span className={classes.text}>{name}</span>
      {at >= 0 ? <Mark size={14} aria-hidden style={{ flex: "none" }} /> : null}
      {at >= 0 && sort.length > 1 ? <span className={classes.order}>{at + 1}</span> : null}
    </button>
  );
}

type MenuProps = Omit<HeadProps, "column"> & {
  column: Placed;
  columns: readonly ColumnId[];
  fixed: number;
};

/** All that can be done with a column, also without dragging. The menu itself is fetched when it is wanted. */
function HeadMenu(props: MenuProps) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  return (
    <>
      <button
        ref={opener}
        type="button"
        className={classes.more}
        aria-label={t`Column ${props.name}`}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(true)}
      >
        <IconDotsVertical size={14} aria-hidden />
      </button>
      {open ? (
        <Suspense>
          <ColumnMenu
            {...props}
            opener={opener}
            onClose={() => {
              setOpen(false);
              opener.current?.focus();
            }}
          />
        </Suspense>
      ) : null}
    </>
  );
}

/** The edge by which a column is made wider; its menu does the same by keys. */
function WidthHandle({ size, onWidth }: { size: number; onWidth: (width: number) => void }) {
  const from = useRef<{ x: number; size: number } | null>(null);
  const widthAt = (event: PointerEvent) =>
    Math.round(
      Math.min(
        800,
        Math.max(60, (from.current?.size ?? size) + event.clientX - (from.current?.x ?? 0)),
      ),
    );
  return (
    <span
      className={classes.edge}
      aria-hidden
      draggable
      onDragStart={(event) => {
        event.preventDefault();
        event.stopPropagation();
      }}
      onPointerDown={(event) => {
        event.preventDefault();
        from.current = { x: event.clientX, size };
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const cell = event.currentTarget.parentElement;
        if (from.current && cell) cell.style.width = `${widthAt(event)}px`;
      }}
      onPointerUp={(event) => {
        if (!from.current) return;
        const width = widthAt(event);
        from.current = null;
        if (width !== size) onWidth(width);
      }}
    />
  );
}

const placeIn = (sort: readonly string[], key: string) =>
  sort.findIndex((one) => one === key || one === `-${key}`);

/** Only the first key is the table's order for who cannot see it; the others break its ties. */
function ariaSort(
  column: ColumnId,
  sort: readonly string[],
): "ascending" | "descending" | "none" | undefined {
  const key = sortKeyOf(column);
  if (!key) return undefined;
  if (sort[0] === key) return "ascending";
  return sort[0] === `-${key}` ? "descending" : "none";
}
