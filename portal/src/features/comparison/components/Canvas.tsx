import { useComputedColorScheme } from "@mantine/core";
import { ParallelChart, ScatterChart } from "echarts/charts";
import { GridComponent, ParallelComponent, TooltipComponent } from "echarts/components";
import { type EChartsCoreOption, type EChartsType, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import classes from "./Comparison.module.css";

use([
  ParallelChart,
  ScatterChart,
  GridComponent,
  ParallelComponent,
  TooltipComponent,
  CanvasRenderer,
]);

type Props = {
  label: string;
  option: EChartsCoreOption;
  /** Places of the runs that are picked by a brush on an axis; null when nothing is brushed. */
  onPick?: (places: number[] | null) => void;
  /** The place of a run that is clicked. */
  onOpen?: (place: number) => void;
};

type Parallel = { getRawIndicesByActiveState: (state: string) => number[] };
// What the library's own types leave out: which lines a brush on a parallel axis has picked.
type WithModel = { getModel: () => { getSeries: () => Parallel[] } };

/** A picture drawn by ECharts; its data stand in a table beside it. */
export default function Canvas({ label, option, onPick, onOpen }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const told = useRef({ onPick, onOpen });
  told.current = { onPick, onOpen };
  const scheme = useComputedColorScheme("light");
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = init(element, scheme === "dark" ? "dark" : undefined);
    chart.current = made;
    made.on("axisareaselected", () => {
      const series = (made as unknown as WithModel).getModel().getSeries()[0];
      const active = series?.getRawIndicesByActiveState("active") ?? [];
      told.current.onPick?.(active.length > 0 ? active : null);
    });
    made.on("click", ({ dataIndex }) => told.current.onOpen?.(Number(dataIndex)));
    const watching = new ResizeObserver(() => made.resize());
    watching.observe(element);
    return () => {
      watching.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, [scheme]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another look makes the chart anew
  useEffect(() => {
    chart.current?.setOption({ backgroundColor: "transparent", ...option }, { notMerge: true });
  }, [option, scheme]);
  return <div ref={place} role="img" aria-label={label} className={classes.canvas} />;
}
