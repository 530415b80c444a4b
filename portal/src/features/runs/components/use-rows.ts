import { type UseQueryResult, useInfiniteQuery, useQueries, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import type { PageRun } from "@/api/generated/models/pageRun";
import type { Run } from "@/api/generated/models/run";
import { conditionOf, groupKey, sortedGroups, type TableRow } from "../groups";
import { groupMembersQuery, groupsQuery, runsByIdQuery, runsQuery } from "../queries";
import { defaultSort, type RunScope, type Workspace } from "../workspace";

const membersAtFirst = 50;
const membersMore = 200;
const membersAtMost = 1000;

/** The runs of a scope page by page, and what stands on top of them. */
export function useRunPages(scope: RunScope, workspace: Workspace) {
  const query = useInfiniteQuery(runsQuery(scope, workspace));
  const pages = useMemo(() => query.data?.pages.map(({ items }) => items) ?? [], [query.data]);
  const runs = useMemo(() => pages.flat(), [pages]);
  return { query, pages, runs };
}

/** Runs by their ids: those that are loaded, and the others asked for. */
export function useRunsById(
  projectId: string,
  wanted: readonly string[],
  loaded: ReadonlyMap<string, Run>,
): ReadonlyMap<string, Run> {
  const missing = useMemo(
    () => wanted.filter((id) => !loaded.has(id)).slice(0, 100),
    [wanted, loaded],
  );
  const { data } = useQuery(runsByIdQuery(projectId, missing));
  return useMemo(
    () => (data ? new Map([...data.map((run) => [run.id, run] as const), ...loaded]) : loaded),
    [data, loaded],
  );
}

/** The rows of a grouped table: groups, and the members of those that are open. */
export function useGroupRows(scope: RunScope, workspace: Workspace, metrics: readonly string[]) {
  const by = workspace.group ?? none;
  const query = useQuery(groupsQuery(scope, workspace, metrics));
  const sort = workspace.sort ?? usualSort;
  const groups = useMemo(
    () => sortedGroups(by.length > 0 ? (query.data?.items ?? []) : [], by, sort),
    [query.data, by, sort],
  );
  const open = useMemo(() => new Set(workspace.open), [workspace.open]);
  const [shown, setShown] = useState<ReadonlyMap<string, number>>(new Map());
  const opened = groups.filter((group) => open.has(groupKey(group)));
  const members = useQueries({
    queries: opened.map((group) =>
      groupMembersQuery(
        scope,
        workspace,
        conditionOf(by, group),
        shown.get(groupKey(group)) ?? membersAtFirst,
      ),
    ),
    combine: combined,
  });

  const rows = useMemo(() => {
    const found: TableRow[] = [];
    let at = -1;
    for (const group of groups) {
      const key = groupKey(group);
      found.push({ kind: "group", key: `group:${key}`, group, open: open.has(key) });
      if (!open.has(key)) continue;
      at += 1;
      const { items, failed } = members[at] ?? { items: undefined, failed: false };
      for (const run of items ?? []) found.push({ kind: "run", key: run.id, run });
      const left = group.count - (items?.length ?? 0);
      const state = items ? "more" : failed ? "failed" : "loading";
      if (!items || (left > 0 && items.length < membersAtMost)) {
        found.push({ kind: "rest", key: `rest:${key}`, groupKey: key, state, left });
      }
    }
    return found;
  }, [groups, open, members]);

  const more = useCallback(
    (key: string) => {
      const at = opened.findIndex((group) => groupKey(group) === key);
      if (members[at]?.items) {
        setShown((before) =>
          new Map(before).set(
            key,
            Math.min((before.get(key) ?? membersAtFirst) + membersMore, membersAtMost),
          ),
        );
      } else members[at]?.ask();
    },
    [opened, members],
  );
  return { query, groups, rows, more };
}

/** What the table needs of each open group's members. */
function combined(results: readonly UseQueryResult<PageRun>[]) {
  return results.map(({ data, error, refetch }) => ({
    items: data?.items,
    failed: error !== null && !data,
    ask: () => void refetch(),
  }));
}

const none: readonly string[] = [];
const usualSort: readonly string[] = [defaultSort];
