import { useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { Panel } from "@/ui/Panel";
import { useLiveValue } from "../live-context";
import { runMetricsQuery } from "../queries";
import { bySection } from "../series";
import { type ChartView, viewFrom } from "../view";
import { MetricPanel } from "./MetricPanel";
import classes from "./MetricPanels.module.css";

type Props = {
  runId: string;
  startedAt: string;
  /** Where all of them are. */
  link: ReactNode;
};

const shown = 3;
const noKeys: readonly string[] = [];

/** The first curves of a run, live, on the page that opens first. */
export function MetricPreview({ runId, startedAt, link }: Props) {
  const { t } = useLingui();
  const { data } = useInfiniteQuery(runMetricsQuery(runId));
  const liveKeys = useLiveValue((stream) => stream?.keys() ?? noKeys);
  const keys = useMemo(() => {
    const known = data?.pages.flatMap(({ items }) => items.map(({ key }) => key)) ?? [];
    return bySection([...new Set([...known, ...liveKeys])]).flatMap((section) => section.keys);
  }, [data, liveKeys]);
  const [view, setView] = useState<ChartView>(() => viewFrom({}));
  if (keys.length === 0) return null;
  return (
    <Panel title={t`Curves`} actions={link}>
      <div className={classes.grid}>
        {keys.slice(0, shown).map((metric) => (
          <div key={metric} className={classes.panel}>
            <MetricPanel
              runId={runId}
              metric={metric}
              start={Date.parse(startedAt) * 1000}
              view={view}
              onView={(change) => setView((old) => ({ ...old, ...change }))}
              pausedAt={null}
              frozen={false}
              onFollow={() => undefined}
              allMetrics={keys}
            />
          </div>
        ))}
      </div>
    </Panel>
  );
}
