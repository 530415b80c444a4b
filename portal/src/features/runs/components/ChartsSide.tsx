import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconEyeOff } from "@tabler/icons-react";
import { type ReactNode, Suspense } from "react";
import { EmptyState } from "@/ui/EmptyState";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { drawnAtFirst, drawnAtMost, type RunsCharts } from "../drawn";
import classes from "./RunsWorkspace.module.css";

type Props = {
  slot: RunsCharts;
  charts: (slot: RunsCharts) => ReactNode;
  /** How many could be drawn, and whether there are more that are not loaded. */
  drawable: number;
  more: boolean;
  limit: number;
  onLimit: (limit: number) => void;
  onShowHidden: () => void;
};

/** The charts of the runs, and how many of the runs they draw. */
export function ChartsSide(props: Props) {
  const { slot, drawable, more, limit } = props;
  const { t } = useLingui();
  const drawn = slot.runs.filter(({ hidden }) => !hidden).length;
  const left = drawable > drawn || more;
  const total = `${drawable}${more ? "+" : ""}`;
  return (
    <section className={classes.charts} aria-label={t`Charts`}>
      <div className={classes.drawn}>
        <span className={classes.chip} role="status">
          {left ? (
            <Trans>
              {drawn} of {total} runs drawn
            </Trans>
          ) : (
            <Plural value={drawn} one="# run drawn" other="# runs drawn" />
          )}
        </span>
        {left && limit < drawnAtMost ? (
          <Button size="compact-xs" variant="subtle" onClick={() => props.onLimit(drawnAtMost)}>
            <Trans>Draw up to {drawnAtMost}</Trans>
          </Button>
        ) : null}
        {limit > drawnAtFirst ? (
          <Button size="compact-xs" variant="subtle" onClick={() => props.onLimit(drawnAtFirst)}>
            <Trans>Draw only {drawnAtFirst}</Trans>
          </Button>
        ) : null}
      </div>
      {drawn === 0 ? (
        <EmptyState
          icon={<IconEyeOff size={24} />}
          title={t`All runs are hidden`}
          actions={
            <Button variant="default" onClick={props.onShowHidden}>
              <Trans>Show the hidden runs</Trans>
            </Button>
          }
        >
          <Trans>Charts draw the runs whose eye is open, or those that are selected.</Trans>
        </EmptyState>
      ) : (
        <Suspense fallback={<TableSkeleton columns={2} rows={6} />}>{props.charts(slot)}</Suspense>
      )}
    </section>
  );
}
