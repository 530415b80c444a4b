import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconAlertTriangle, IconFilterOff, IconRefresh } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Run } from "@/api/generated/models/run";
import { isProblem } from "@/api/problem";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useShortcut } from "@/ui/shortcuts";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { automaticColumns, foundColumns, keyOf, moved } from "../columns";
import { drawnAtFirst, drawnAtMost, type RunsCharts } from "../drawn";
import type { TableRow } from "../groups";
import { useLiveRuns } from "../live";
import { keepFirstPage, viewQuery, viewsQuery } from "../queries";
import type { View } from "../search-api";
import {
  defaultSort,
  isChanged,
  isFiltered,
  mayBelong,
  type RunScope,
  type RunSearch,
  searchOf,
  storedWorkspace,
  type Workspace,
  workspaceOf,
} from "../workspace";
import { ColumnChooser } from "./ColumnChooser";
import type { LinkTo } from "./cells";
import { FilterBox } from "./FilterBox";
import { GroupPicker } from "./GroupPicker";
import { useGroupLabel } from "./GroupRow";
import { LayoutSwitch } from "./LayoutSwitch";
import { RunsTable } from "./RunsTable";
import classes from "./RunsTable.module.css";
import { RunsToolbar } from "./RunsToolbar";
import { SameColumns } from "./SameColumns";
import { SelectionBar } from "./SelectionBar";
import { Sides } from "./Sides";
import type { ColumnActions } from "./TableHead";
import { chosenOf, useDrawn } from "./use-drawn";
import { useNarrow } from "./use-narrow";
import { useGroupRows, useRunPages, useRunsById } from "./use-rows";
import { useSelection } from "./use-selection";
import { ViewsMenu } from "./ViewsMenu";

type Props = {
  scope: RunScope;
  search: RunSearch;
  /** Takes the page to another address; `push` where the back button should come back here. */
  onSearch: (search: RunSearch, push: boolean) => void;
  canEdit: boolean;
  runLink: LinkTo;
  experimentLink: LinkTo;
  /** Puts runs side by side. */
  onCompare?: (ids: string[]) => void;
  /** Shown where there is no run at all. */
  empty: ReactNode;
  /** Charts of the runs it is given; without it there is only the table. */
  charts?: (slot: RunsCharts) => ReactNode;
  /** Whether an address without anything in it opens the default view. */
  withDefault?: boolean;
};

/** Runs of a project or experiment: search, table, charts, what can be done with many, live. */
export function RunsWorkspace(props: Props) {
  const { scope, search, onSearch } = props;
  const { t } = useLingui();
  const bare = props.withDefault === true && Object.keys(search).length === 0;
  const views = useQuery({ ...viewsQuery(scope.projectId), enabled: bare });
  const usual = bare ? views.data?.items.find(({ is_default }) => is_default) : undefined;
  useEffect(() => {
    if (usual) onSearch({ view: usual.id }, false);
  }, [usual, onSearch]);

  const viewId = search.view === "none" ? undefined : search.view;
  const view = useQuery({ ...viewQuery(viewId ?? ""), enabled: viewId !== undefined });
  if (viewId !== undefined && view.error && !view.data) {
    return isProblem(view.error) && view.error.status === 404 ? (
      <EmptyState
        icon={<IconAlertTriangle size={24} />}
        title={t`There is no such view`}
        titleOrder={2}
        actions={
          <Button variant="default" onClick={() => onSearch({ view: "none" }, true)}>
            <Trans>Show all runs</Trans>
          </Button>
        }
      >
        <Trans>It was deleted, or it is somebody else's own.</Trans>
      </EmptyState>
    ) : (
      <ErrorNotice
        error={view.error}
        title={t`The view could not be loaded`}
        onRetry={() => void view.refetch()}
      />
    );
  }
  if ((viewId !== undefined && !view.data) || usual || (bare && views.isPending)) {
    return (
      <div className={classes.skeleton} data-wide>
        <TableSkeleton columns={6} rows={8} />
      </div>
    );
  }
  return <OpenWorkspace {...props} view={viewId === undefined ? undefined : view.data} />;
}

const noIds: readonly string[] = [];
const noLooks: Readonly<Record<string, number>> = {};
const noWidths: Readonly<Record<string, number>> = {};
const noState: Readonly<Record<string, unknown>> = {};
const usualSort: readonly string[] = [defaultSort];
/** What the back button goes back over. */
const pushed: readonly (keyof Workspace)[] = ["filter", "archived", "group", "sort"];
/** How far the clocks of browser and server may differ when a run counts as new. */
const clockSkewMs = 120_000;

function OpenWorkspace(props: Props & { view: View | undefined }) {
  const { scope, search, onSearch, canEdit, view } = props;
  const { t } = useLingui();
  const client = useQueryClient();
  const stored = useMemo(() => (view ? storedWorkspace(view.state) : {}), [view]);
  const workspace = useMemo(() => workspaceOf(search, stored), [search, stored]);
  // Several changes may come before the page has gone to the address of the first.
  const latest = useRef(workspace);
  latest.current = workspace;
  const onWorkspace = useCallback(
    (change: Partial<Workspace>) => {
      latest.current = { ...latest.current, ...change };
      const push = pushed.some((key) => key in change);
      onSearch(searchOf(latest.current, search.view, stored), push);
    },
    [onSearch, search.view, stored],
  );

  const { query, pages, runs } = useRunPages(scope, workspace);
  const { data, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const refused = isProblem(error) && error.status === 422;
  const found = useMemo(() => foundColumns(pages), [pages]);
  const columns = useColumns(workspace, found, runs.length === 1, !scope.experimentId);
  const { ids: columnIds, fixed } = columns;
  const by = workspace.group ?? noIds;
  const grouped = by.length > 0;
  const metrics = useSteady(
    columnIds
      .filter((id) => id.startsWith("metrics."))
      .map(keyOf)
      .slice(0, 50),
  );
  const groups = useGroupRows(scope, workspace, metrics);
  const labelOf = useGroupLabel(by);

  const [selected, setSelected] = useSelection(workspace, onWorkspace);
  const hidden = useMemo(() => new Set(workspace.hidden), [workspace.hidden]);
  const pinnedIds = useMemo(
    () => [...new Set([...(workspace.base ? [workspace.base] : []), ...(workspace.pins ?? [])])],
    [workspace.base, workspace.pins],
  );
  const [limit, setLimit] = useState<number | null>(null);
  const drawLimit = limit ?? (grouped ? drawnAtMost : drawnAtFirst);
  const order = useMemo(
    () =>
      grouped
        ? groups.groups.flatMap(({ run_ids }) => run_ids)
        : [...new Set([...pinnedIds, ...runs.map(({ id }) => id)])],
    [grouped, groups.groups, pinnedIds, runs],
  );
  const candidates = useMemo(() => {
    if (selected.size === 0) return order;
    const inOrder = order.filter((id) => selected.has(id));
    return [...new Set([...inOrder, ...selected])];
  }, [order, selected]);
  const loaded = useMemo(
    () =>
      new Map(
        [...runs, ...groups.rows.flatMap((row) => (row.kind === "run" ? [row.run] : []))].map(
          (run) => [run.id, run],
        ),
      ),
    [runs, groups.rows],
  );
  const wanted = useMemo(
    () => [...pinnedIds, ...chosenOf(candidates, hidden, drawLimit)],
    [pinnedIds, candidates, hidden, drawLimit],
  );
  const known = useRunsById(scope.projectId, data ? wanted : noIds, loaded);
  const groupOf = useMemo(
    () =>
      grouped
        ? new Map(
            groups.groups.flatMap((group) => {
              const label = labelOf(group);
              return group.run_ids.map((id) => [id, label] as const);
            }),
          )
        : null,
    [grouped, groups.groups, labelOf],
  );
  const drawing = useDrawn({
    candidates,
    known,
    groups: groupOf,
    hidden,
    picked: workspace.looks ?? noLooks,
    limit: drawLimit,
  });
  const pinned = useMemo(() => pinnedIds.flatMap((id) => known.get(id) ?? []), [pinnedIds, known]);
  const rows = useMemo(
    () =>
      grouped
        ? groups.rows
        : runs
            .filter(({ id }) => !pinnedIds.includes(id))
            .map((run): TableRow => ({ kind: "run", key: run.id, run })),
    [grouped, groups.rows, runs, pinnedIds],
  );

  const narrow = useNarrow();
  const asked = workspace.layout ?? "split";
  const layout = !props.charts || (narrow && asked === "split") ? "table" : asked;
  const [engaged, setEngaged] = useState(false);
  const clearSelection = useCallback(() => setSelected(new Set()), [setSelected]);
  useShortcut("leave", clearSelection, selected.size > 0);

  const listedAt = query.dataUpdatedAt;
  const belongs = useCallback(
    (run: Run) =>
      mayBelong(scope, workspace, run) && Date.parse(run.created_at) > listedAt - clockSkewMs,
    [scope, workspace, listedAt],
  );
  const ids = useMemo(() => new Set([...loaded.keys(), ...known.keys()]), [loaded, known]);
  const regroup = useThrottled(() => void groups.query.refetch(), 5000, grouped);
  const live = useLiveRuns({ projectId: scope.projectId, known: ids, belongs, onChanged: regroup });
  const askAgain = useCallback(() => {
    live.seen();
    keepFirstPage(client, scope, workspace);
    void refetch();
    if (grouped) void groups.query.refetch();
  }, [live.seen, client, scope, workspace, refetch, grouped, groups.query.refetch]);
  // New runs come in by themselves only while nobody would see the rows move.
  const { waiting } = live;
  const pageCount = pages.length;
  useEffect(() => {
    if (waiting === 0 || engaged || pageCount > 1) return;
    const timer = setTimeout(askAgain, 400);
    return () => clearTimeout(timer);
  }, [waiting, engaged, pageCount, askAgain]);

  const onEnd = useCallback(() => {
    if (!grouped && hasNextPage && !isFetchingNextPage && !query.isFetchNextPageError) {
      void fetchNextPage();
    }
  }, [grouped, hasNextPage, isFetchingNextPage, query.isFetchNextPageError, fetchNextPage]);

  const toggledIn = (list: readonly string[] | undefined, id: string) => {
    const next = (list ?? []).includes(id)
      ? (list ?? []).filter((one) => one !== id)
      : [...(list ?? []), id];
    return next.length > 0 ? next : undefined;
  };
  const onHide = useCallback(
    (ids: readonly string[], hide: boolean) => {
      const others = (latest.current.hidden ?? []).filter((one) => !ids.includes(one));
      const next = hide ? [...others, ...ids] : others;
      onWorkspace({ hidden: next.length > 0 ? next : undefined });
    },
    [onWorkspace],
  );
  const onPin = (id: string) => {
    if (id === workspace.base) {
      const pins = (workspace.pins ?? []).filter((one) => one !== id);
      onWorkspace({ base: undefined, pins: pins.length > 0 ? pins : undefined });
    } else onWorkspace({ pins: toggledIn(workspace.pins, id) });
  };
  const onLook = (id: string, look: number | undefined) => {
    const { [id]: _own, ...others } = workspace.looks ?? {};
    const next = look === undefined ? others : { ...others, [id]: look };
    onWorkspace({ looks: Object.keys(next).length > 0 ? next : undefined });
  };
  const onCharts = useCallback(
    (change: Record<string, unknown>) => {
      const kept = Object.entries({ ...latest.current.charts, ...change }).filter(
        ([, value]) => value !== undefined,
      );
      onWorkspace({ charts: kept.length > 0 ? Object.fromEntries(kept) : undefined });
    },
    [onWorkspace],
  );
  const onHideOne = useCallback((id: string, hide: boolean) => onHide([id], hide), [onHide]);
  const columnActions: ColumnActions = {
    onSort: (sort) =>
      onWorkspace({ sort: sort?.length === 1 && sort[0] === defaultSort ? undefined : sort }),
    onMove: (column, to) => {
      const next = moved(columnIds, column, to);
      // A column that is carried over the edge of those that stay changes sides.
      const stays =
        next.indexOf(column) < fixed
          ? fixed
          : Math.max(0, fixed - (columnIds.indexOf(column) < fixed ? 1 : 0));
      onWorkspace({ cols: next, fixed: stays > 0 ? next.slice(0, stays) : undefined });
    },
    onWidth: (column, width) => {
      const { [column]: _own, ...others } = workspace.widths ?? {};
      const next = width === undefined ? others : { ...others, [column]: width };
      onWorkspace({ widths: Object.keys(next).length > 0 ? next : undefined });
    },
    onFix: (column) => onWorkspace({ fixed: toggledIn(columnIds.slice(0, fixed), column) }),
    onHide: (column) => onWorkspace({ cols: columnIds.filter((one) => one !== column) }),
    onGroup: (field) => onWorkspace({ group: [...by.filter((one) => one !== field), field] }),
  };

  // A filter that the server cannot read leaves the runs of the one before on the screen.
  const lastRows = useRef<readonly TableRow[]>([]);
  if (data) lastRows.current = rows;
  const shownRows = data ? rows : refused ? lastRows.current : noRows;
  const broken = grouped ? groups.query.error : null;
  const ready = grouped ? groups.query.data !== undefined || broken !== null : true;
  const filtered = isFiltered(workspace);
  if (data && runs.length === 0 && !filtered && !query.isPlaceholderData) return props.empty;

  const clear = () => onWorkspace({ filter: undefined, archived: undefined });
  const table =
    error && !data && shownRows.length === 0 ? (
      refused ? (
        <EmptyState
          icon={<IconAlertTriangle size={24} />}
          title={t`The filter cannot be read`}
          actions={
            <Button variant="default" onClick={clear}>
              <Trans>Show all runs</Trans>
            </Button>
          }
        >
          <Trans>The place of the mistake is marked in the filter.</Trans>
        </EmptyState>
      ) : (
        <ErrorNotice
          error={error}
          title={t`The runs could not be loaded`}
          onRetry={() => void refetch()}
        />
      )
    ) : broken && !groups.query.data ? (
      <ErrorNotice
        error={broken}
        title={t`The groups could not be loaded`}
        onRetry={() => void groups.query.refetch()}
      />
    ) : (!data && !refused) || !ready ? (
      <div className={classes.skeleton}>
        <TableSkeleton columns={6} rows={8} />
      </div>
    ) : shownRows.length === 0 && pinned.length === 0 ? (
      <EmptyState
        icon={<IconFilterOff size={24} />}
        title={t`No run matches`}
        actions={
          <Button variant="default" onClick={clear}>
            <Trans>Show all runs</Trans>
          </Button>
        }
      >
        {workspace.filter ? (
          <Trans>
            There are runs here, but none that meets <code>{workspace.filter}</code>.
          </Trans>
        ) : (
          <Trans>No run is archived here.</Trans>
        )}
      </EmptyState>
    ) : (
      <RunsTable
        label={t`Runs`}
        pinned={pinned}
        rows={shownRows}
        columns={columnIds}
        fixed={narrow ? 0 : fixed}
        widths={workspace.widths ?? noWidths}
        by={by}
        runs={runs}
        sort={workspace.sort ?? usualSort}
        columnActions={columnActions}
        selected={selected}
        onSelect={setSelected}
        hidden={hidden}
        looks={drawing.looks}
        base={workspace.base ? (known.get(workspace.base) ?? null) : null}
        withCharts={props.charts !== undefined}
        onHide={onHide}
        onPin={onPin}
        onBase={(id) => onWorkspace({ base: id === workspace.base ? undefined : id })}
        onLook={onLook}
        onOpen={(key) => onWorkspace({ open: toggledIn(workspace.open, key) })}
        onRest={groups.more}
        runLink={props.runLink}
        experimentLink={props.experimentLink}
        onEnd={onEnd}
        total={hasNextPage && !grouped ? -1 : shownRows.length}
        refreshing={query.isPlaceholderData || (refused && !data)}
        onEngaged={setEngaged}
      />
    );

  return (
    <div data-wide>
      <search className={classes.toolbar}>
        <FilterBox
          scope={scope}
          filter={workspace.filter ?? ""}
          onFilter={(filter) => onWorkspace({ filter: filter || undefined })}
          error={error}
        />
        <GroupPicker
          scope={scope}
          group={by}
          found={found}
          onGroup={(group) => onWorkspace({ group, open: undefined })}
        />
        <ColumnChooser
          scope={scope}
          shown={columnIds}
          found={found}
          automatic={workspace.cols === undefined}
          onChange={(cols) => onWorkspace({ cols })}
        />
        <ViewsMenu
          projectId={scope.projectId}
          view={view}
          changed={isChanged(search)}
          workspace={
            drawing.looks.size > 0 && !grouped
              ? {
                  ...workspace,
                  looks: { ...Object.fromEntries(drawing.looks), ...workspace.looks },
                }
              : workspace
          }
          onOpen={(next) => onSearch(next ? { view: next.id } : { view: "none" }, true)}
          canEdit={canEdit}
        />
        {props.charts ? (
          <LayoutSwitch
            layout={layout}
            narrow={narrow}
            onLayout={(next) => onWorkspace({ layout: next })}
          />
        ) : null}
      </search>
      <RunsToolbar workspace={workspace} onWorkspace={onWorkspace} narrow={narrow}>
        <SameColumns
          found={found}
          hidden={columns.hidden}
          same={workspace.same ?? false}
          onSame={(same) => onWorkspace({ same: same || undefined })}
        />
      </RunsToolbar>
      <Sides
        layout={layout}
        share={workspace.split ?? 55}
        onShare={(split) => onWorkspace({ split })}
        table={
          <>
            {table}
            {waiting > 0 && runs.length > 0 ? (
              <div className={classes.pill}>
                <Button
                  size="compact-sm"
                  radius="xl"
                  leftSection={<IconRefresh size={14} aria-hidden />}
                  onClick={askAgain}
                >
                  <Plural value={waiting} one="# new run" other="# new runs" />
                </Button>
              </div>
            ) : null}
            {runs.length > 0 ? (
              <div className={classes.foot} role="status">
                {grouped ? (
                  <span>
                    <Plural value={groups.groups.length} one="# group" other="# groups" />
                  </span>
                ) : hasNextPage ? (
                  <Plural
                    value={runs.length}
                    one="# run loaded, more below"
                    other="# runs loaded, more below"
                  />
                ) : (
                  <Plural value={runs.length} one="# run" other="# runs" />
                )}
                {query.isFetchNextPageError ? (
                  <Button size="compact-xs" variant="subtle" onClick={() => void fetchNextPage()}>
                    <Trans>The next runs could not be loaded. Try again</Trans>
                  </Button>
                ) : null}
              </div>
            ) : null}
          </>
        }
        charts={props.charts}
        slot={{
          runs: drawing.drawn,
          state: workspace.charts ?? noState,
          onState: onCharts,
          onHide: onHideOne,
        }}
        drawable={
          grouped && selected.size === 0
            ? groups.groups.reduce((sum, { count }) => sum + count, 0)
            : candidates.filter((id) => !hidden.has(id)).length
        }
        more={!grouped && hasNextPage && selected.size === 0}
        limit={drawLimit}
        onLimit={setLimit}
        onShowHidden={() => onWorkspace({ hidden: undefined })}
      />
      {selected.size > 0 ? (
        <SelectionBar
          projectId={scope.projectId}
          selected={selected}
          runs={[...known.values()]}
          onClear={clearSelection}
          archived={workspace.archived === "true"}
          canEdit={canEdit}
          onHide={props.charts ? (hide) => onHide([...selected], hide) : undefined}
          onCompare={props.onCompare}
          onPin={() =>
            onWorkspace({
              pins: [...new Set([...(workspace.pins ?? []), ...selected])].slice(0, 20),
            })
          }
        />
      ) : null}
    </div>
  );
}

const noRows: readonly TableRow[] = [];

/** The columns that are shown, those that stay beside the name first. */
function useColumns(
  workspace: Workspace,
  found: ReturnType<typeof foundColumns>,
  single: boolean,
  withExperiment: boolean,
) {
  const same = workspace.same ?? false;
  const automatic = useMemo(
    () => automaticColumns(found, { withExperiment, single, same }),
    [found, withExperiment, single, same],
  );
  const extra = same && workspace.cols ? found.identical.map((key) => `params.${key}`) : noIds;
  const chosen = useSteady([...new Set([...(workspace.cols ?? automatic), ...extra])]);
  const stays = useSteady(workspace.fixed ?? noIds);
  const ids = useMemo(() => {
    const front = stays.filter((id) => chosen.includes(id));
    return [...front, ...chosen.filter((id) => !front.includes(id))];
  }, [chosen, stays]);
  const fixed = stays.filter((id) => chosen.includes(id)).length;
  const hidden = single
    ? 0
    : found.identical.filter((key) => !ids.includes(`params.${key}`)).length;
  return { ids, fixed, hidden };
}

/** The same list as before as long as its members are, so that live values do not rebuild the columns. */
function useSteady(list: readonly string[]): readonly string[] {
  const text = list.join("\n");
  return useMemo(() => (text === "" ? noIds : text.split("\n")), [text]);
}

/** Calls at most once in a while, the last call not lost. */
function useThrottled(call: () => void, everyMs: number, enabled: boolean): () => void {
  const latest = useRef(call);
  latest.current = call;
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    if (!enabled || timer.current !== undefined) return;
    timer.current = setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, everyMs);
  }, [everyMs, enabled]);
}
