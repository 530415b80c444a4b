import { useLingui } from "@lingui/react/macro";
import {
  IconChevronDown,
  IconChevronRight,
  IconFile,
  IconFolder,
  IconFolderOpen,
  IconRosetteDiscountCheck,
} from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useProblemText } from "@/ui/problem-text";
import { TimeText } from "@/ui/TimeText";
import { nameOf } from "../paths";
import { useSizeText } from "../size-text";
import { moveBy, type Row } from "../tree";
import classes from "./Artifacts.module.css";

const rowHeight = 32;

type Props = {
  label: string;
  rows: readonly Row[];
  /** The path that is shown beside the tree. */
  chosen: string | null;
  onChoose: (path: string) => void;
  onFold: (folder: string, open: boolean) => void;
  /** Asks for the next page of a folder. */
  onMore: (folder: string) => void;
};

/** Any number of files; only the rows in view, and the one that the keys are at, are in the page. */
export function ArtifactTree({ label, rows, chosen, onChoose, onFold, onMore }: Props) {
  const id = useId();
  const frame = useRef<HTMLDivElement>(null);
  const [activeKey, setActiveKey] = useState<string | null>(null);
  const found = rows.findIndex(({ key }) => key === activeKey);
  const at =
    found === -1
      ? Math.max(
          0,
          rows.findIndex((row) => isOf(row, chosen)),
        )
      : found;

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => frame.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: (index) => rows[index]?.key ?? index,
    rangeExtractor: ({ startIndex, endIndex, overscan, count }) => {
      const first = Math.max(0, startIndex - overscan);
      const last = Math.min(count - 1, endIndex + overscan);
      const shown = Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
      return at >= count || (at >= first && at <= last) ? shown : [...shown, at];
    },
  });

  const items = virtual.getVirtualItems();
  const wanted = items
    .map(({ index }) => rows[index])
    .filter((row) => row?.kind === "rest" && !row.loading && !row.error)
    .map((row) => (row?.kind === "rest" ? row.folder : ""))
    .join("\n");
  const isWanting = items.some(({ index }) => isAsking(rows[index]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page may be there at once, and the next is wanted
  useEffect(() => {
    if (isWanting) for (const folder of wanted.split("\n")) onMore(folder);
  }, [isWanting, wanted, onMore, rows.length]);

  function go(index: number): void {
    const row = rows[index];
    if (!row) return;
    setActiveKey(row.key);
    virtual.scrollToIndex(index, { align: "auto" });
  }

  function act(row: Row | undefined): void {
    if (row?.kind !== "entry") return;
    setActiveKey(row.key);
    onChoose(row.entry.path);
    if (row.entry.kind === "folder") onFold(row.entry.path, !row.open);
  }

  function onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") act(rows[at]);
    else {
      const move = moveBy(event.key, rows, at);
      if (!move) return;
      if ("to" in move) go(move.to);
      else if ("open" in move) onFold(move.open, true);
      else onFold(move.close, false);
    }
    event.preventDefault();
  }

  return (
    <div
      ref={frame}
      role="tree"
      aria-label={label}
      aria-activedescendant={rows[at] ? `${id}-${at}` : undefined}
      tabIndex={0}
      className={classes.tree}
      onKeyDown={onKey}
    >
      <div role="presentation" className={classes.rows} style={{ height: virtual.getTotalSize() }}>
        {items.map(({ index, start, key }) => {
          const row = rows[index];
          if (!row) return null;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the focus and takes the keys
            // biome-ignore lint/a11y/useFocusableInteractive: the tree says which row is active
            <div
              key={key}
              id={`${id}-${index}`}
              role="treeitem"
              aria-level={row.level}
              aria-selected={isOf(row, chosen)}
              aria-expanded={isFolder(row) ? row.open : undefined}
              aria-posinset={row.kind === "entry" ? row.place : undefined}
              aria-setsize={row.kind === "entry" ? -1 : undefined}
              aria-busy={row.kind === "rest" && row.loading ? true : undefined}
              data-active={index === at || undefined}
              className={classes.row}
              style={{
                transform: `translateY(${start}px)`,
                paddingInlineStart: `${row.level - 1 + 0.5}rem`,
              }}
              onClick={() => act(row)}
            >
              <RowContent row={row} />
            </div>
          );
        })}
      </div>
    </div>
  );
}

function RowContent({ row }: { row: Row }) {
  const { t } = useLingui();
  const size = useSizeText();
  const problemText = useProblemText();
  if (row.kind === "empty") return <span className={classes.quiet}>{t`Empty`}</span>;
  if (row.kind === "rest") {
    return (
      <span className={classes.quiet}>
        {row.error ? problemText(row.error) : t`Loading more files…`}
      </span>
    );
  }
  const { entry } = row;
  const name = nameOf(entry.path);
  return (
    <>
      <span className={classes.fold} aria-hidden>
        {entry.kind === "file" ? null : row.open ? (
          <IconChevronDown size={14} />
        ) : (
          <IconChevronRight size={14} />
        )}
      </span>
      <span className={classes.kind} aria-hidden>
        {entry.kind === "file" ? (
          <IconFile size={16} />
        ) : row.open ? (
          <IconFolderOpen size={16} />
        ) : (
          <IconFolder size={16} />
        )}
      </span>
      <span className={classes.name} title={name}>
        {name}
      </span>
      {entry.approved ? (
        <span className={classes.approved} title={t`Approved`}>
          <IconRosetteDiscountCheck size={16} role="img" aria-label={t`Approved`} />
        </span>
      ) : null}
      {entry.size === null ? null : <span className={classes.size}>{size(entry.size)}</span>}
      {entry.created_at === null ? null : (
        <span className={classes.time}>
          <TimeText at={entry.created_at} />
        </span>
      )}
    </>
  );
}

function isOf(row: Row, path: string | null): boolean {
  return row.kind === "entry" && row.entry.path === path;
}

function isFolder(row: Row): row is Row & { kind: "entry" } {
  return row.kind === "entry" && row.entry.kind === "folder";
}

function isAsking(row: Row | undefined): boolean {
  return row?.kind === "rest" && !row.loading && !row.error;
}
