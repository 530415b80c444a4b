import { useLingui } from "@lingui/react/macro";
import type { Experiment } from "@/api/generated/models/experiment";
import { announceFailure } from "@/ui/notices";
import { offerUndo } from "@/ui/undo";
import { useArchiveExperiment, useRestoreExperiment } from "../queries";

/** Puts an experiment away with a way back, and brings one back. */
export function useArchiving(projectId: string) {
  const { t } = useLingui();
  const archiving = useArchiveExperiment(projectId);
  const restoring = useRestoreExperiment(projectId);
  const failed = (error: unknown) => announceFailure(t`The experiment could not be changed`, error);
  const restore = (id: string) => restoring.mutate(id, { onError: failed });
  const archive = ({ id, name }: Experiment) =>
    archiving.mutate(id, {
      onSuccess: () => offerUndo(t`“${name}” archived with its runs`, () => restore(id)),
      onError: failed,
    });
  return { archive, restore, busy: archiving.isPending || restoring.isPending };
}
