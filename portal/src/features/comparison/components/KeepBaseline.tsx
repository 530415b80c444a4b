import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ComparedRun } from "@/api/generated/models/comparedRun";
import { announce, announceFailure } from "@/ui/notices";
import { keptBaselineQuery, useKeepBaseline } from "../queries";

/** Makes a run the one that its experiment's runs are compared with until somebody chooses another. */
export function KeepBaseline({ run }: { run: ComparedRun }) {
  const { t } = useLingui();
  const { id, name, experiment_id: experimentId, experiment_name: experiment } = run;
  const kept = useQuery(keptBaselineQuery(experimentId));
  const keep = useKeepBaseline(experimentId);
  if (!kept.data) return null;
  const isKept = kept.data.run_id === id;
  return (
    <Button
      size="xs"
      variant="default"
      loading={keep.isPending}
      onClick={() =>
        keep.mutate(isKept ? null : id, {
          onSuccess: () =>
            announce(
              isKept
                ? t`“${experiment}” has no baseline any more`
                : t`“${name}” is the baseline of “${experiment}”`,
            ),
          onError: (error) => announceFailure(t`The baseline was not changed`, error),
        })
      }
    >
      {isKept ? (
        <Trans>Clear it for the experiment</Trans>
      ) : (
        <Trans>Keep it for the experiment</Trans>
      )}
    </Button>
  );
}
