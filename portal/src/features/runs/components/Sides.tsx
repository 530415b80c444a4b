import { type CSSProperties, type ReactNode, useRef } from "react";
import type { RunsCharts } from "../drawn";
import type { Layout } from "../workspace";
import { ChartsSide } from "./ChartsSide";
import classes from "./RunsWorkspace.module.css";
import { Splitter } from "./Splitter";

type Props = {
  layout: Layout;
  /** The table's share of the width in percent. */
  share: number;
  onShare: (share: number) => void;
  table: ReactNode;
  charts?: (slot: RunsCharts) => ReactNode;
  slot: RunsCharts;
  drawable: number;
  more: boolean;
  limit: number;
  onLimit: (limit: number) => void;
  onShowHidden: () => void;
};

/** The table, the charts, or both with a line between them that can be moved. */
export function Sides({ layout, share, onShare, table, charts, ...side }: Props) {
  const area = useRef<HTMLDivElement>(null);
  return (
    <div
      ref={area}
      className={classes.sides}
      data-layout={layout}
      style={{ "--share": `${share}%` } as CSSProperties}
    >
      {layout === "charts" ? null : <div className={classes.table}>{table}</div>}
      {layout === "split" ? <Splitter area={area} share={share} onShare={onShare} /> : null}
      {charts && layout !== "table" ? <ChartsSide {...side} charts={charts} /> : null}
    </div>
  );
}
