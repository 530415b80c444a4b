import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconFilterOff, IconRefresh } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import type { Run } from "@/api/generated/models/run";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useShortcut } from "@/ui/shortcuts";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { automaticColumns, foundColumns } from "../columns";
import { defaultSort, isFiltered, type RunScope, type RunSearch } from "../filter";
import { useLiveRuns } from "../live";
import { runsQuery } from "../queries";
import { ColumnChooser } from "./ColumnChooser";
import type { LinkTo } from "./cells";
import { RunsTable } from "./RunsTable";
import classes from "./RunsTable.module.css";
import { RunsToolbar } from "./RunsToolbar";
import { SelectionBar } from "./SelectionBar";

type Props = {
  scope: RunScope;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
  canEdit: boolean;
  runLink: LinkTo;
  experimentLink: LinkTo;
  /** Shown where there is no run at all. */
  empty: ReactNode;
};

const none: ReadonlySet<string> = new Set();

/** Runs of a project or experiment: search, table, what can be done with many, live. */
export function RunsPanel(props: Props) {
  const { scope, search, onSearch, canEdit } = props;
  const { t } = useLingui();
  const query = useInfiniteQuery(runsQuery(scope, search));
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const runs = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const known = useMemo(() => new Set(runs.map(({ id }) => id)), [runs]);
  const found = useMemo(() => foundColumns(runs), [runs]);
  const withExperiment = !scope.experimentId;
  const automatic = useMemo(
    () => automaticColumns(runs, found, withExperiment),
    [runs, found, withExperiment],
  );
  const columns = useSteady(search.cols ?? automatic);
  const [selected, setSelected] = useState(none);
  const [engaged, setEngaged] = useState(false);
  const belongs = useCallback((run: Run) => isOf(scope, search, run), [scope, search]);
  const { waiting } = useLiveRuns({ projectId: scope.projectId, known, belongs });
  useShortcut("leave", () => setSelected(none), selected.size > 0);

  // New runs come in by themselves only while nobody would see the rows move.
  const pages = data?.pages.length ?? 0;
  useEffect(() => {
    if (waiting === 0 || engaged || pages > 1) return;
    const timer = setTimeout(() => void refetch(), 400);
    return () => clearTimeout(timer);
  }, [waiting, engaged, pages, refetch]);

  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  const same = found.identical.filter((key) => !columns.includes(`params.${key}`)).length;
  const loaded = runs.length;
  const filtered = isFiltered(search);
  if (data && loaded === 0 && !filtered && !query.isPlaceholderData) return props.empty;

  return (
    <>
      <RunsToolbar search={search} onSearch={onSearch}>
        <ColumnChooser
          shown={columns}
          found={found}
          withExperiment={withExperiment}
          automatic={search.cols === undefined}
          onChange={(cols) => onSearch({ cols })}
        />
      </RunsToolbar>
      {error && !data ? (
        <ErrorNotice
          error={error}
          title={t`The runs could not be loaded`}
          onRetry={() => void refetch()}
        />
      ) : !data ? (
        <div className={classes.skeleton}>
          <TableSkeleton columns={6} rows={8} />
        </div>
      ) : loaded === 0 ? (
        <EmptyState
          icon={<IconFilterOff size={24} />}
          title={t`No run matches`}
          actions={
            <Button
              variant="default"
              onClick={() =>
                onSearch({ q: undefined, status: undefined, tag: undefined, archived: undefined })
              }
            >
              <Trans>Show all runs</Trans>
            </Button>
          }
        >
          <Trans>There are runs here, but none with this name, status and these tags.</Trans>
        </EmptyState>
      ) : (
        <RunsTable
          label={t`Runs`}
          runs={runs}
          columns={columns}
          sort={search.sort ?? defaultSort}
          onSort={(sort) => onSearch({ sort: sort === defaultSort ? undefined : sort })}
          selected={selected}
          onSelect={canEdit ? setSelected : undefined}
          runLink={props.runLink}
          experimentLink={props.experimentLink}
          onEnd={onEnd}
          total={hasNextPage ? -1 : loaded}
          refreshing={query.isPlaceholderData}
          onEngaged={setEngaged}
        />
      )}
      {waiting > 0 && loaded > 0 ? (
        <div className={classes.pill}>
          <Button
            size="compact-sm"
            radius="xl"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={() => void refetch()}
          >
            <Plural value={waiting} one="# new run" other="# new runs" />
          </Button>
        </div>
      ) : null}
      {loaded > 0 ? (
        <div className={classes.foot} role="status">
          <span>
            {hasNextPage ? (
              <Plural
                value={loaded}
                one="# run loaded, more below"
                other="# runs loaded, more below"
              />
            ) : (
              <Plural value={loaded} one="# run" other="# runs" />
            )}
          </span>
          {same > 0 && loaded > 1 ? (
            <span>
              <Plural
                value={same}
                one="# parameter is equal in all of them and hidden"
                other="# parameters are equal in all of them and hidden"
              />
            </span>
          ) : null}
        </div>
      ) : null}
      {selected.size > 0 && canEdit ? (
        <SelectionBar
          projectId={scope.projectId}
          selected={selected}
          runs={runs}
          onClear={() => setSelected(none)}
          archived={search.archived === "true"}
        />
      ) : null}
    </>
  );
}

/** The same list as before as long as its members are, so that live values do not rebuild the columns. */
function useSteady(columns: readonly string[]): readonly string[] {
  const text = columns.join("\n");
  return useMemo(() => (text === "" ? [] : text.split("\n")), [text]);
}

/** Whether a run would be in the list, as far as it can be told here; the server decides on asking. */
function isOf(scope: RunScope, search: RunSearch, run: Run): boolean {
  if (scope.experimentId && run.experiment_id !== scope.experimentId) return false;
  if (scope.parentRunId && run.parent_run_id !== scope.parentRunId) return false;
  if (search.archived !== "all" && (run.archived_at !== null) !== (search.archived === "true"))
    return false;
  if (search.status?.length && !search.status.includes(run.status)) return false;
  if (search.q && !run.name.toLowerCase().includes(search.q.trim().toLowerCase())) return false;
  return (search.tag ?? []).every((tag) => {
    const [key = "", ...value] = tag.split("=");
    return value.length > 0 ? run.tags[key] === value.join("=") : key in run.tags;
  });
}
