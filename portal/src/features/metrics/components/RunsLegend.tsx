import { Trans, useLingui } from "@lingui/react/macro";
import { Button, useComputedColorScheme } from "@mantine/core";
import { IconFocus2 } from "@tabler/icons-react";
import { LineSample } from "@/charts/components/LineSample";
import { seriesStyle } from "@/ui/palette";
import { type ChartRun, groupsOf } from "../runs";
import classes from "./RunsLegend.module.css";

type Props = {
  runs: readonly ChartRun[];
  /** The one run or group that is drawn alone. */
  only: string | null;
  onOnly: (id: string | null) => void;
  onHide: (runId: string, hidden: boolean) => void;
};

/** Whose line is whose in all charts: hide one, or see one alone. */
export function RunsLegend({ runs, only, onOnly, onHide }: Props) {
  const { t } = useLingui();
  const scheme = useComputedColorScheme("light");
  const entries =
    groupsOf(runs)?.map((group) => ({
      ...group,
      label: `${group.label} (${group.runs.length})`,
      hidden: group.runs.every(({ hidden }) => hidden),
    })) ?? runs.map((run) => ({ ...run, label: run.name, runs: [run] }));
  return (
    <div className={classes.legend}>
      <ul aria-label={t`Lines`}>
        {entries.map(({ id, label, look, hidden, runs: members }) => {
          const alone = only === id;
          const shown = !hidden && (only === null || alone);
          return (
            <li key={id}>
              <button
                type="button"
                className={classes.toggle}
                aria-pressed={shown}
                title={label}
                onClick={() => {
                  if (only !== null && !alone) onOnly(null);
                  else for (const member of members) onHide(member.id, !hidden);
                }}
              >
                <LineSample {...seriesStyle(look, scheme)} />
                <span>{label}</span>
              </button>
              <button
                type="button"
                className={classes.only}
                aria-pressed={alone}
                aria-label={t`Only ${label}`}
                title={t`Only ${label}`}
                onClick={() => onOnly(alone ? null : id)}
              >
                <IconFocus2 size={14} aria-hidden />
              </button>
            </li>
          );
        })}
      </ul>
      {only === null ? null : (
        <Button size="compact-xs" variant="subtle" onClick={() => onOnly(null)}>
          <Trans>Show all runs again</Trans>
        </Button>
      )}
    </div>
  );
}
