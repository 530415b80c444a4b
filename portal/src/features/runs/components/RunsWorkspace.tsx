import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconFilterOff, IconRefresh } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import {
  type CSSProperties,
  type ReactNode,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Run } from "@/api/generated/models/run";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useShortcut } from "@/ui/shortcuts";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { automaticColumns, foundColumns } from "../columns";
import type { RunsCharts } from "../drawn";
import { defaultSort, isFiltered, type RunScope, type RunSearch } from "../filter";
import { useLiveRuns } from "../live";
import { runsQuery } from "../queries";
import { ChartsSide } from "./ChartsSide";
import { ColumnChooser } from "./ColumnChooser";
import type { LinkTo } from "./cells";
import { LayoutSwitch } from "./LayoutSwitch";
import { RunsTable } from "./RunsTable";
import classes from "./RunsTable.module.css";
import { RunsToolbar } from "./RunsToolbar";
import sides from "./RunsWorkspace.module.css";
import { SelectionBar } from "./SelectionBar";
import { Splitter } from "./Splitter";
import { useDrawn } from "./use-drawn";
import { useSelection } from "./use-selection";

type Props = {
  scope: RunScope;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
  canEdit: boolean;
  runLink: LinkTo;
  experimentLink: LinkTo;
  /** Shown where there is no run at all. */
  empty: ReactNode;
  /** Charts of the runs it is given; without it there is only the table. */
  charts?: (slot: RunsCharts) => ReactNode;
};

const noState: Readonly<Record<string, unknown>> = {};
const noLooks: Readonly<Record<string, number>> = {};

/** Runs of a project or experiment: search, table, charts, what can be done with many, live. */
export function RunsWorkspace(props: Props) {
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
  const [selected, setSelected] = useSelection(search, onSearch);
  const hidden = useMemo(() => new Set(search.hidden), [search.hidden]);
  const picked = search.looks ?? noLooks;
  const drawing = useDrawn({ runs, selected, hidden, picked });
  const narrow = useMediaQuery("(max-width: 48em)") ?? false;
  const asked = search.layout ?? "split";
  const layout = !props.charts || (narrow && asked === "split") ? "table" : asked;
  const share = search.split ?? 55;
  const area = useRef<HTMLDivElement>(null);
  const [engaged, setEngaged] = useState(false);
  const belongs = useCallback((run: Run) => isOf(scope, search, run), [scope, search]);
  const { waiting } = useLiveRuns({ projectId: scope.projectId, known, belongs });
  const clearSelection = useCallback(() => setSelected(new Set()), [setSelected]);
  useShortcut("leave", clearSelection, selected.size > 0);
  const onHide = useCallback(
    (id: string, hide: boolean) => {
      const next = (search.hidden ?? []).filter((one) => one !== id);
      if (hide) next.push(id);
      onSearch({ hidden: next.length > 0 ? next : undefined });
    },
    [search.hidden, onSearch],
  );
  const onCharts = useCallback(
    (change: Record<string, unknown>) => {
      const kept = Object.entries({ ...search.charts, ...change }).filter(
        ([, value]) => value !== undefined,
      );
      onSearch({ charts: kept.length > 0 ? Object.fromEntries(kept) : undefined });
    },
    [search.charts, onSearch],
  );

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
        {props.charts ? (
          <LayoutSwitch
            layout={layout}
            narrow={narrow}
            onLayout={(next) => onSearch({ layout: next })}
          />
        ) : null}
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
        <div
          ref={area}
          className={sides.sides}
          data-layout={layout}
          data-wide
          style={{ "--share": `${share}%` } as CSSProperties}
        >
          {layout !== "charts" ? (
            <div className={sides.table}>
              <RunsTable
                label={t`Runs`}
                runs={runs}
                columns={columns}
                sort={search.sort ?? defaultSort}
                onSort={(sort) => onSearch({ sort: sort === defaultSort ? undefined : sort })}
                selected={selected}
                onSelect={setSelected}
                hidden={hidden}
                looks={drawing.looks}
                onHide={props.charts ? onHide : undefined}
                runLink={props.runLink}
                experimentLink={props.experimentLink}
                onEnd={onEnd}
                total={hasNextPage ? -1 : loaded}
                refreshing={query.isPlaceholderData}
                onEngaged={setEngaged}
              />
            </div>
          ) : null}
          {layout === "split" ? (
            <Splitter area={area} share={share} onShare={(split) => onSearch({ split })} />
          ) : null}
          {props.charts && layout !== "table" ? (
            <ChartsSide
              slot={{
                runs: drawing.drawn,
                state: search.charts ?? noState,
                onState: onCharts,
                onHide,
              }}
              charts={props.charts}
              drawable={drawing.drawable}
              more={hasNextPage && selected.size === 0}
              limit={drawing.limit}
              onLimit={drawing.setLimit}
              onShowHidden={() => onSearch({ hidden: undefined })}
            />
          ) : null}
        </div>
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
      {selected.size > 0 ? (
        <SelectionBar
          projectId={scope.projectId}
          selected={selected}
          runs={runs}
          onClear={clearSelection}
          archived={search.archived === "true"}
          canEdit={canEdit}
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
