import { useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { bySection } from "@/charts/series";
import { Panel } from "@/ui/Panel";
import { useLiveValue } from "../live-context";
import { runMetricsQuery } from "../queries";
import type { ChartRun } from "../runs";
import { usePanels } from "../use-panels";
import { type ChartView, viewFrom } from "../view";
import { MetricPanel } from "./MetricPanel";
import classes from "./MetricPanels.module.css";

type Props = {
  run: ChartRun;
  /** Where all of them are. */
  link: ReactNode;
};

const shown = 3;
const noKeys: readonly string[] = [];

/** The first curves of a run, live, on the page that opens first. */
export function MetricPreview({ run, link }: Props) {
  const { t } = useLingui();
  const { data } = useInfiniteQuery(runMetricsQuery(run.id));
  const liveKeys = useLiveValue((stream) => stream?.keys() ?? noKeys);
  const keys = useMemo(() => {
    const known = data?.pages.flatMap(({ items }) => items.map(({ key }) => key)) ?? [];
    return bySection([...new Set([...known, ...liveKeys])]).flatMap((section) => section.keys);
  }, [data, liveKeys]);
  const [view, setView] = useState<ChartView>(() => viewFrom({}));
  const onView = useCallback(
    (change: Partial<ChartView>) => setView((old) => ({ ...old, ...change })),
    [],
  );
  const runs = useMemo(() => [run], [run]);
  const setting = usePanels({ runs, view, onView, paused: false, onPause: () => undefined, keys });
  if (keys.length === 0) return null;
  return (
    <Panel title={t`Curves`} actions={link}>
      <div className={classes.grid}>
        {keys.slice(0, shown).map((metric) => (
          <div key={metric} className={classes.panel}>
            <MetricPanel {...setting} metric={metric} asleep={false} />
          </div>
        ))}
      </div>
    </Panel>
  );
}
