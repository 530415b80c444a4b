import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import type { Project } from "@/api/generated/models/project";
import { projectQuery } from "@/features/projects/queries";

/** The project that the address names, once it is known. */
export function useCurrentProject(): Project | null {
  const { project: slug } = useParams({ strict: false });
  const { data } = useQuery({ ...projectQuery(slug ?? ""), enabled: slug !== undefined });
  return slug === undefined ? null : (data ?? null);
}
