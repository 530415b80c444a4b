import { useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute, Outlet } from "@tanstack/react-router";
import { ArchivedBanner } from "@/features/projects/components/ArchivedBanner";
import { projectQuery } from "@/features/projects/queries";

/** Loads the project that the address names; its pages find it in the cache under the same slug. */
export const Route = createFileRoute("/_app/p/$project")({
  loader: ({ context, params }) =>
    context.queryClient.ensureQueryData(projectQuery(params.project)),
  component: ProjectLayout,
});

function ProjectLayout() {
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  return (
    <>
      {project.archived_at ? <ArchivedBanner project={project} /> : null}
      <Outlet />
    </>
  );
}
