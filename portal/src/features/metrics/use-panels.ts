import { useEffect, useMemo, useState } from "react";
import { Viewport } from "@/charts/viewport";
import type { PanelsSetting } from "./components/MetricPanel";
import { useLive } from "./live-context";
import { type ChartRun, groupsOf } from "./runs";
import type { ChartView } from "./view";

type Options = {
  runs: readonly ChartRun[];
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  /** New points stay out until somebody goes on. */
  paused: boolean;
  onPause: (pause: boolean) => void;
  keys: readonly string[];
};

/** What the panels of a page share: which runs they draw, what is in view, and whether they follow. */
export function usePanels(options: Options): PanelsSetting {
  const { runs, view, onView, paused, onPause, keys } = options;
  const live = useLive();
  const [viewport] = useState(() => new Viewport(view.zoom));
  useEffect(() => {
    viewport.onRest = (zoom) => onView({ zoom });
  }, [viewport, onView]);
  useEffect(() => viewport.follow(view.zoom), [viewport, view.zoom]);

  const held = view.zoom !== null || paused;
  const [heldAt, setHeldAt] = useState<ReadonlyMap<string, number> | null>(null);
  useEffect(() => setHeldAt(held && live ? live.progress() : null), [live, held]);

  const { only } = view;
  const drawn = useMemo(() => {
    const shown = runs.filter(({ hidden }) => !hidden);
    const alone = shown.filter(({ id, group }) => id === only || (group ?? "") === only);
    return only !== null && alone.length > 0 ? alone : shown;
  }, [runs, only]);
  const groups = useMemo(() => groupsOf(runs, drawn), [runs, drawn]);
  return {
    runs: drawn,
    groups,
    view,
    onView,
    viewport,
    heldAt,
    frozen: paused,
    onFollow: () => onPause(false),
    allMetrics: keys,
  };
}
