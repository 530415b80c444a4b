/** The rows of a tree of folders, of which each is known as far as it has been asked for. */

import type { Entry } from "@/api/generated/models/entry";

export type Branch = {
  entries: readonly Entry[];
  /** Whether the server has more of this folder. */
  more: boolean;
  loading: boolean;
  error: unknown;
};

export type Row =
  | { kind: "entry"; key: string; entry: Entry; level: number; open: boolean; place: number }
  /** What is still to come of a folder, or why it does not come. */
  | { kind: "rest"; key: string; folder: string; level: number; loading: boolean; error: unknown }
  | { kind: "empty"; key: string; folder: string; level: number };

export function rowsOf(branches: ReadonlyMap<string, Branch>, open: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  function add(folder: string, level: number): void {
    const branch = branches.get(folder);
    for (const [index, entry] of (branch?.entries ?? []).entries()) {
      const isOpen = entry.kind === "folder" && open.has(entry.path);
      const key = `${entry.kind}:${entry.path}`;
      rows.push({ kind: "entry", key, entry, level, open: isOpen, place: index + 1 });
      if (isOpen) add(entry.path, level + 1);
    }
    const { loading = true, more = false, error = null } = branch ?? {};
    if (loading || more || error) {
      rows.push({ kind: "rest", key: `rest:${folder}`, folder, level, loading, error });
    } else if (folder && branch?.entries.length === 0) {
      rows.push({ kind: "empty", key: `empty:${folder}`, folder, level });
    }
  }
  add("", 1);
  return rows;
}

/** Where a key leads from a row; `open` and `close` where it folds instead of moving. */
export type Move = { to: number } | { open: string } | { close: string } | null;

export function moveBy(key: string, rows: readonly Row[], from: number, page = 10): Move {
  const last = rows.length - 1;
  const row = rows[from];
  const to = (index: number): Move => ({ to: Math.min(Math.max(index, 0), last) });
  switch (key) {
    case "ArrowDown":
      return to(from + 1);
    case "ArrowUp":
      return to(from - 1);
    case "PageDown":
      return to(from + page);
    case "PageUp":
      return to(from - page);
    case "Home":
      return to(0);
    case "End":
      return to(last);
    case "ArrowRight":
      if (row?.kind !== "entry" || row.entry.kind !== "folder") return null;
      return row.open ? to(from + 1) : { open: row.entry.path };
    case "ArrowLeft": {
      if (row?.kind === "entry" && row.open) return { close: row.entry.path };
      const level = row?.level ?? 1;
      const parent = rows.findLastIndex((one, index) => index < from && one.level < level);
      return parent === -1 ? null : to(parent);
    }
    default:
      return null;
  }
}
