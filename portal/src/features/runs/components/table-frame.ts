import type { CSSProperties } from "react";
import type { ColumnId } from "../columns";

/** A column in the page: its place among all, its width, and where it sticks while the others scroll. */
export type Placed = { id: ColumnId; place: number; size: number; start?: number };

/** What all rows of a table share: the columns in view and the room of those that are not. */
export type RowFrame = {
  nameWidth: number;
  stuck: readonly Placed[];
  shown: readonly Placed[];
  numeric: ReadonlySet<ColumnId>;
  before: number;
  after: number;
};

export function placeOf({ size, start }: Placed): CSSProperties {
  return start === undefined ? { width: size } : { width: size, insetInlineStart: start };
}
