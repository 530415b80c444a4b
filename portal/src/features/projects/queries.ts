import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";
import type { ListProjectsSort } from "@/api/generated/models/listProjectsSort";
import type { NewProject } from "@/api/generated/models/newProject";
import type { Project } from "@/api/generated/models/project";
import type { ProjectChange } from "@/api/generated/models/projectChange";
import {
  archiveProject,
  changeProject,
  createProject,
  getListProjectsQueryKey,
  listProjects,
  restoreProject,
} from "@/api/generated/projects/projects";
import { idempotent, ifVersion } from "@/api/http";
import { invalidatePath } from "@/api/invalidate";
import { Problem } from "@/api/problem";

export type ProjectFilter = {
  q?: string;
  archived?: "false" | "true" | "all";
  sort?: ListProjectsSort;
};

const projectsPath = "/api/v1/projects";

export function projectsQuery(filter: ProjectFilter) {
  return infiniteQueryOptions({
    queryKey: [...getListProjectsQueryKey(), "pages", filter],
    queryFn: ({ pageParam, signal }) =>
      listProjects({ ...filter, limit: 100, cursor: pageParam ?? undefined }, { signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
  });
}

/** A project by the slug in the address; a problem of status 404 when there is none for this person. */
export function projectQuery(slug: string) {
  return queryOptions({
    queryKey: [...getListProjectsQueryKey(), "by-slug", slug],
    queryFn: async ({ signal }): Promise<Project> => {
      const { items } = await listProjects({ slug, archived: "all" }, { signal });
      const [project] = items;
      if (!project) throw new Problem({ status: 404, type: "/problems/not-found" });
      return project;
    },
  });
}

export function useCreateProject() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, project }: { key: string; project: NewProject }) =>
      createProject(project, idempotent(key)),
    onSuccess: () => invalidatePath(client, projectsPath),
  });
}

export function useChangeProject(project: Project) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: ProjectChange) =>
      changeProject(project.id, change, ifVersion(project.version)),
    onSettled: () => invalidatePath(client, projectsPath),
  });
}

export function useArchiveProject() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (projectId: string) => archiveProject(projectId),
    onSettled: () => invalidatePath(client, projectsPath),
  });
}

export function useRestoreProject() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (projectId: string) => restoreProject(projectId),
    onSettled: () => invalidatePath(client, projectsPath),
  });
}
