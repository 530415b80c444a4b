import { useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { Run } from "@/api/generated/models/run";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { Panel } from "@/ui/Panel";
import { StatusBadge } from "@/ui/StatusBadge";
import { TimeText } from "@/ui/TimeText";
import { foundColumns } from "../columns";
import { Elapsed } from "../elapsed";
import { runsQuery } from "../queries";
import { type LinkTo, Value } from "./cells";

type Props = { run: Run; runLink: LinkTo };

/** The runs inside this one: folds, trials, stages. */
export function NestedRuns({ run, runLink }: Props) {
  const { t } = useLingui();
  const scope = { projectId: run.project_id, parentRunId: run.id };
  const { data, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    runsQuery(scope, { sort: ["created_at"] }),
  );
  const rows = data?.pages.flatMap(({ items }) => items);
  const found = foundColumns(rows ? [rows] : []);
  const columns: DataColumn<Run>[] = [
    { id: "name", header: t`Name`, cell: ({ row }) => runLink(row.original, row.original.name) },
    {
      id: "status",
      header: t`Status`,
      cell: ({ row }) => <StatusBadge status={row.original.status} />,
    },
    {
      id: "created",
      header: t`Created`,
      cell: ({ row }) => <TimeText at={row.original.created_at} />,
    },
    {
      id: "duration",
      header: t`Duration`,
      meta: { numeric: true },
      cell: ({ row }) => <Elapsed run={row.original} />,
    },
    ...found.differing.slice(0, 3).map(
      (key): DataColumn<Run> => ({
        id: `params.${key}`,
        header: key,
        meta: { numeric: true },
        cell: ({ row }) => <Value value={row.original.params[key]} />,
      }),
    ),
    ...found.metrics.slice(0, 4).map(
      (key): DataColumn<Run> => ({
        id: `metrics.${key}`,
        header: key,
        meta: { numeric: true },
        cell: ({ row }) => <Value value={row.original.metrics[key]} />,
      }),
    ),
  ];
  return (
    <Panel title={t`Nested runs`} flush>
      <DataTable
        label={t`Nested runs`}
        columns={columns}
        rows={rows}
        rowId={({ id }) => id}
        empty={null}
        onMore={hasNextPage ? () => void fetchNextPage() : undefined}
        loadingMore={isFetchingNextPage}
      />
    </Panel>
  );
}
