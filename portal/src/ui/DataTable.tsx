// The phone layout takes display:table away, and the semantics with it; the roles bring them back.
// biome-ignore-all lint/a11y/noRedundantRoles: see above
// biome-ignore-all lint/a11y/useSemanticElements: see above

import { Trans } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconArrowDown, IconArrowsSort, IconArrowUp } from "@tabler/icons-react";
import { type ColumnDef, type RowData, tableFeatures, useTable } from "@tanstack/react-table";
import type { ReactNode } from "react";
import classes from "@/ui/DataTable.module.css";
import { TableSkeleton } from "@/ui/TableSkeleton";

type ColumnLook = {
  /** The field name that `sort` takes on the server; the column's header sorts when it is set. */
  sortKey?: string;
  /** Numbers stand right-aligned in equal-width digits. */
  numeric?: boolean;
  /** As narrow as its content: actions, icons. */
  tight?: boolean;
};

const features = tableFeatures({ columnMeta: {} as ColumnLook });

export type DataColumn<Row extends RowData> = ColumnDef<typeof features, Row> & { id: string };

type Props<Row extends RowData> = {
  /** Names the table for screen readers. */
  label: string;
  columns: DataColumn<Row>[];
  rows: Row[] | undefined;
  rowId: (row: Row) => string;
  /** Shown in place of the table when there are no rows. */
  empty: ReactNode;
  /** `name`, `-created_at`: as the API says it. */
  sort?: string;
  onSort?: (sort: string) => void;
  /** Rows are older than what was asked for; they are dimmed, not blanked. */
  refreshing?: boolean;
  onMore?: () => void;
  loadingMore?: boolean;
};

/** A list of records, sorted by the server. Rows stack into cards on a phone. */
export function DataTable<Row extends RowData>({
  label,
  columns,
  rows,
  rowId,
  empty,
  sort,
  onSort,
  refreshing = false,
  onMore,
  loadingMore = false,
}: Props<Row>) {
  const table = useTable({ features, columns, data: rows ?? [], getRowId: rowId });

  if (rows === undefined) return <TableSkeleton columns={columns.length} />;
  if (rows.length === 0) return empty;

  return (
    <div className={refreshing ? `${classes.scroll} ${classes.refreshing}` : classes.scroll}>
      <table role="table" aria-label={label} className={`${classes.table} ${classes.stacking}`}>
        <thead role="rowgroup">
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id} role="row">
              {group.headers.map((header) => {
                const look = header.column.columnDef.meta ?? {};
                const title = <table.FlexRender header={header} />;
                return (
                  <th
                    key={header.id}
                    role="columnheader"
                    className={cellClass(look)}
                    aria-sort={ariaSort(look, sort)}
                  >
                    {look.sortKey && onSort ? (
                      <button
                        type="button"
                        className={classes.sort}
                        onClick={() => onSort(nextSort(look.sortKey ?? "", sort))}
                      >
                        {title}
                        <SortMark state={ariaSort(look, sort)} />
                      </button>
                    ) : (
                      title
                    )}
                  </th>
                );
              })}
            </tr>
          ))}
        </thead>
        <tbody role="rowgroup">
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id} role="row">
              {row.getAllCells().map((cell) => {
                const { header, meta } = cell.column.columnDef;
                return (
                  <td
                    key={cell.id}
                    role="cell"
                    className={cellClass(meta ?? {})}
                    data-label={typeof header === "string" ? header : ""}
                  >
                    <table.FlexRender cell={cell} />
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {onMore ? (
        <div className={classes.more}>
          <Button variant="default" size="xs" onClick={onMore} loading={loadingMore}>
            <Trans>Show more</Trans>
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function cellClass({ numeric, tight }: ColumnLook): string | undefined {
  const names = [numeric ? classes.numeric : "", tight ? classes.tight : ""].filter(Boolean);
  return names.length > 0 ? names.join(" ") : undefined;
}

function ariaSort({ sortKey }: ColumnLook, sort: string | undefined) {
  if (!sortKey) return undefined;
  if (sort === sortKey) return "ascending";
  return sort === `-${sortKey}` ? "descending" : "none";
}

function nextSort(key: string, sort: string | undefined): string {
  return sort === key ? `-${key}` : key;
}

function SortMark({ state }: { state: ReturnType<typeof ariaSort> }) {
  if (state === "ascending") return <IconArrowUp size={14} aria-hidden />;
  if (state === "descending") return <IconArrowDown size={14} aria-hidden />;
  return <IconArrowsSort size={14} opacity={0.45} aria-hidden />;
}
