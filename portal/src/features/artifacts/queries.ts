import {
  type QueryKey,
  queryOptions,
  useMutation,
  useQueries,
  useQueryClient,
} from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { readFile } from "@/api/files";
import { getListArtifactsQueryKey, listArtifacts } from "@/api/generated/artifacts/artifacts";
import type { Entry } from "@/api/generated/models/entry";
import type { PageEntry } from "@/api/generated/models/pageEntry";
import { request } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";
import { fileAddress, folderOf } from "./paths";
import type { Branch } from "./tree";

const pageSize = 500;

function pageQuery(runId: string, folder: string, cursor: string | null) {
  const params = { prefix: folder, limit: pageSize, cursor: cursor ?? undefined };
  return queryOptions({
    queryKey: getListArtifactsQueryKey(runId, params),
    queryFn: ({ signal }) => listArtifacts(runId, params, { signal }),
  });
}

/** The open folders of a run, each a page at a time. */
export function useFolders(runId: string, open: ReadonlySet<string>) {
  const client = useQueryClient();
  const [wanted, setWanted] = useState<Record<string, number>>({});
  // Each page begins where the one before ends, so that files that came or went leave no hole.
  const asked = ["", ...open].flatMap((folder) => {
    const pages = [];
    let cursor: string | null = null;
    for (let count = wanted[folder] ?? 1; count > 0; count -= 1) {
      pages.push({ folder, cursor });
      const { queryKey }: { queryKey: QueryKey } = pageQuery(runId, folder, cursor);
      const page: PageEntry | undefined = client.getQueryData(queryKey);
      cursor = page?.next_cursor ?? null;
      if (cursor === null) break;
    }
    return pages;
  });
  const pages = useQueries({
    queries: asked.map(({ folder, cursor }) => pageQuery(runId, folder, cursor)),
  });
  const branches = new Map<string, Branch>();
  for (const [index, { folder }] of asked.entries()) {
    const page = pages[index];
    const before = branches.get(folder)?.entries ?? [];
    branches.set(folder, {
      entries: page?.data ? [...before, ...page.data.items] : before,
      more: Boolean(page?.data?.next_cursor),
      loading: page?.isPending ?? true,
      error: page?.error ?? null,
    });
  }
  const more = useCallback(
    (folder: string) => setWanted((old) => ({ ...old, [folder]: (old[folder] ?? 1) + 1 })),
    [],
  );
  return { branches, more };
}

/** All paths of a folder, to know what an upload would replace. */
export async function pathsIn(runId: string, folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  let cursor: string | null | undefined;
  do {
    const page: PageEntry = await listArtifacts(runId, { prefix: folder, limit: 1000, cursor });
    for (const { path, kind } of page.items) if (kind === "file") found.add(path);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

/** A file or folder that is not among the rows: the address of the page names it. */
export function entryQuery(runId: string, path: string) {
  return queryOptions({
    queryKey: [...getListArtifactsQueryKey(runId), "entry", path],
    queryFn: async ({ signal }): Promise<Entry | null> => {
      let cursor: string | null | undefined;
      do {
        const params = { prefix: folderOf(path), limit: 1000, cursor };
        const page: PageEntry = await listArtifacts(runId, params, { signal });
        const found = page.items.find((entry) => entry.path === path);
        if (found) return found;
        cursor = page.next_cursor;
      } while (cursor);
      return null;
    },
  });
}

/** The first bytes of a file; they do not change as long as its digest does not. */
export function contentQuery(runId: string, file: Entry, limit: number) {
  return queryOptions({
    queryKey: ["content", runId, file.path, file.sha256, limit],
    queryFn: ({ signal }) =>
      file.size === 0 ? new Blob() : readFile(fileAddress(runId, file.path), limit, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });
}

export function useRemoveFile(runId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (path: string) => request<void>(fileAddress(runId, path), { method: "DELETE" }),
    onSettled: () => invalidatePath(client, `/api/v1/runs/${runId}/artifacts`),
  });
}

/** A set that lives in the component, for what is folded open. */
export function useOpenFolders(initial: readonly string[]) {
  const [open, setOpen] = useState<ReadonlySet<string>>(() => new Set(initial));
  const change = useCallback(
    (folders: readonly string[], isOpen: boolean) =>
      setOpen((old) => {
        const next = new Set(old);
        for (const folder of folders)
          if (isOpen) next.add(folder);
          else next.delete(folder);
        return next;
      }),
    [],
  );
  return useMemo(() => ({ open, change }), [open, change]);
}
