import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type { Run } from "@/api/generated/models/run";

/** How pages link to a run and to its experiment, for features that know no addresses. */
export function useRunLinks(project: string) {
  return useMemo(
    () => ({
      run: (run: Pick<Run, "id">, children: ReactNode, className?: string) => (
        <Link to="/p/$project/r/$run" params={{ project, run: run.id }} className={className}>
          {children}
        </Link>
      ),
      experiment: (run: Pick<Run, "experiment_id">, children: ReactNode, className?: string) => (
        <Link
          to="/p/$project/x/$experiment"
          params={{ project, experiment: run.experiment_id }}
          className={className}
        >
          {children}
        </Link>
      ),
    }),
    [project],
  );
}
