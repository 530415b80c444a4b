import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Group } from "@mantine/core";
import { IconPlus, IconSearch, IconSearchOff } from "@tabler/icons-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { WhenNear } from "@/charts/components/WhenNear";
import { bySection } from "@/charts/series";
import { EmptyState } from "@/ui/EmptyState";
import { useLiveValue } from "../live-context";
import type { ChartRun } from "../runs";
import { usePanels } from "../use-panels";
import { type ChartView, matcher } from "../view";
import { ChartToolbar } from "./ChartToolbar";
import { MetricPanel } from "./MetricPanel";
import classes from "./MetricPanels.module.css";

type Props = {
  /** All runs of the charts; hidden ones are not drawn. */
  runs: readonly ChartRun[];
  keys: readonly string[];
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  /** Below the toolbar: whose line is whose. */
  legend?: ReactNode;
  /** Below the charts: how to get at more keys. */
  more?: ReactNode;
};

/** Beyond this many metrics panels are chosen instead of all made. */
const panelsAtMost = 200;
const offeredAtMost = 24;
const addedAtMost = 60;

/** One chart for each metric, in sections by prefix, drawn when they come into view, looked at in one way. */
export function ChartsBoard({ runs, keys, view, onView, legend, more }: Props) {
  const { t } = useLingui();
  const state = useLiveValue((stream) => stream?.state ?? "ended");
  const [paused, setPaused] = useState(false);
  const setting = usePanels({ runs, view, onView, paused, onPause: setPaused, keys });
  const matches = useMemo(() => keys.filter(matcher(view.filter)), [keys, view.filter]);
  const chosen = keys.length > panelsAtMost;
  const shown = chosen ? view.added : matches;
  const sections = useMemo(() => bySection(shown), [shown]);
  const add = (more: readonly string[]) =>
    onView({ added: [...new Set([...view.added, ...more])].slice(0, addedAtMost) });
  // A pause ends with the last run that could send anything.
  useEffect(() => {
    if (state === "ended") setPaused(false);
  }, [state]);

  return (
    <>
      <ChartToolbar
        view={view}
        onView={onView}
        grouped={setting.groups !== null}
        state={state}
        paused={paused}
        onPause={setPaused}
      />
      {legend}
      {chosen ? (
        <Chooser
          total={keys.length}
          offered={matches.filter((key) => !view.added.includes(key))}
          filtered={view.filter !== ""}
          onAdd={add}
        />
      ) : null}
      {!chosen && shown.length === 0 ? (
        <EmptyState
          icon={<IconSearchOff size={24} />}
          title={t`No metric has this in its name`}
          titleOrder={2}
          actions={
            <Button variant="default" onClick={() => onView({ filter: "" })}>
              <Trans>Show all metrics</Trans>
            </Button>
          }
        >
          <Trans>The search looks at the whole key and understands regular expressions.</Trans>
        </EmptyState>
      ) : null}
      {sections.map(({ section, keys: members }) => (
        <details key={section} className={classes.section} open>
          <summary>
            <h2>{section || t`Metrics`}</h2>
            <span className={classes.count}>
              <Plural value={members.length} one="# metric" other="# metrics" />
            </span>
          </summary>
          <div className={classes.grid}>
            {members.map((metric) => (
              <WhenNear key={metric} label={metric}>
                {(asleep) => (
                  <MetricPanel
                    {...setting}
                    metric={metric}
                    asleep={asleep}
                    onRemove={
                      chosen
                        ? () => onView({ added: view.added.filter((key) => key !== metric) })
                        : undefined
                    }
                  />
                )}
              </WhenNear>
            ))}
          </div>
        </details>
      ))}
      {more}
    </>
  );
}

type ChooserProps = {
  total: number;
  offered: readonly string[];
  filtered: boolean;
  onAdd: (keys: readonly string[]) => void;
};

/** Where there are too many metrics for a chart each: search, and add what is wanted. */
function Chooser({ total, offered, filtered, onAdd }: ChooserProps) {
  const { t } = useLingui();
  const count = offered.length;
  const rest = count - offeredAtMost;
  return (
    <section className={classes.chooser} aria-label={t`Add charts`}>
      <p>
        <IconSearch size={15} aria-hidden />{" "}
        <Plural
          value={total}
          one="# metric: search for those that you want to see."
          other="# metrics: search for those that you want to see."
        />
      </p>
      {filtered && count > 0 && count <= addedAtMost ? (
        <Button size="compact-sm" variant="default" onClick={() => onAdd(offered)}>
          <Plural value={count} one="Add # match" other="Add all # matches" />
        </Button>
      ) : null}
      <Group gap={6}>
        {offered.slice(0, offeredAtMost).map((key) => (
          <Button
            key={key}
            size="compact-sm"
            variant="subtle"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => onAdd([key])}
          >
            {key}
          </Button>
        ))}
        {rest > 0 ? (
          <span className={classes.count}>
            <Plural value={rest} one="and # more" other="and # more" />
          </span>
        ) : null}
      </Group>
    </section>
  );
}
