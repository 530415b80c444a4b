import { plural } from "@lingui/core/macro";
import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Loader } from "@mantine/core";
import { IconChevronDown, IconChevronRight, IconEye, IconEyeOff } from "@tabler/icons-react";
import { memo, useCallback } from "react";
import { useFormats } from "@/ui/format";
import { keyOf } from "../columns";
import { fieldLabel, type TableRow } from "../groups";
import type { MetricOfGroup, RunGroup } from "../search-api";
import { useNumberText, Value } from "./cells";
import type { RowActions } from "./RunRow";
import classes from "./RunsTable.module.css";
import { Swatch } from "./Swatch";
import { type Placed, placeOf, type RowFrame } from "./table-frame";

type Props = {
  line: string;
  group: RunGroup;
  open: boolean;
  by: readonly string[];
  index: number;
  start: number;
  frame: RowFrame;
  chosen: "none" | "some" | "all";
  hidden: boolean;
  look: number | undefined;
  withCharts: boolean;
  actions: RowActions;
};

/** A group of runs: what they have in common, how many there are, and their metrics together. */
export const GroupRow = memo(function GroupRow(props: Props) {
  const { line, group, by, frame, actions, hidden, open } = props;
  const { t } = useLingui();
  const label = useGroupLabel(by)(group);
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const cell = (column: Placed, stuck: boolean) => (
    // biome-ignore lint/a11y/useSemanticElements: see RunsTable
    <div
      key={column.id}
      role="cell"
      aria-colindex={column.place + 2}
      className={[
        classes.cell,
        frame.numeric.has(column.id) ? classes.numeric : "",
        stuck ? classes.stuck : "",
      ].join(" ")}
      style={placeOf(column)}
    >
      <GroupCell group={group} by={by} column={column.id} />
    </div>
  );
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: see RunsTable
    // biome-ignore-start lint/a11y/useFocusableInteractive: see RunRow
    <div
      role="row"
      data-line={line}
      data-group
      data-hidden={hidden || undefined}
      aria-rowindex={props.index + 2}
      aria-expanded={open}
      aria-selected={props.chosen === "all"}
      className={classes.row}
      style={{ transform: `translateY(${props.start}px)` }}
      onFocus={() => actions.activate(line)}
    >
      <div
        role="rowheader"
        aria-colindex={1}
        className={`${classes.cell} ${classes.pinned}`}
        style={{ width: frame.nameWidth }}
      >
        <label className={classes.box}>
          <input
            type="checkbox"
            aria-label={t`Select the runs of ${label}`}
            checked={props.chosen === "all"}
            ref={(box) => {
              if (box) box.indeterminate = props.chosen === "some";
            }}
            onClick={(event) => actions.select(line, event.shiftKey)}
            readOnly
          />
        </label>
        {props.withCharts ? <Swatch look={hidden ? undefined : props.look} /> : null}
        <span data-main className={classes.main}>
          <button
            type="button"
            className={classes.group}
            aria-expanded={open}
            title={label}
            onClick={() => actions.open(line.slice("group:".length))}
          >
            <Chevron size={15} aria-hidden style={{ flex: "none" }} />
            <span className={classes.text}>{label}</span>
          </button>
        </span>
        <span
          className={classes.count}
          title={t`${plural(group.count, { one: "# run", other: "# runs" })}`}
        >
          {group.count}
        </span>
        {props.withCharts ? (
          <span className={classes.tools}>
            <button
              type="button"
              className={classes.tool}
              aria-pressed={hidden}
              aria-label={t`Hide the runs of ${label} from charts`}
              title={hidden ? t`Show in charts` : t`Hide from charts`}
              onClick={() => actions.hide(group.run_ids, !hidden)}
            >
              {hidden ? <IconEyeOff size={15} aria-hidden /> : <IconEye size={15} aria-hidden />}
            </button>
          </span>
        ) : null}
      </div>
      {frame.stuck.map((column) => cell(column, true))}
      <span style={{ flex: `0 0 ${frame.before}px` }} />
      {frame.shown.map((column) => cell(column, false))}
      <span className={`${classes.cell} ${classes.filler}`} style={{ minWidth: frame.after }} />
    </div>
    // biome-ignore-end lint/a11y/useFocusableInteractive: see RunRow
    // biome-ignore-end lint/a11y/useSemanticElements: see RunsTable
  );
});

/** How a group is called: `optimizer adam · lr 0.1`; runs without the field are the group "(none)". */
export function useGroupLabel(by: readonly string[]): (group: Pick<RunGroup, "values">) => string {
  const { t } = useLingui();
  return useCallback(
    (group) =>
      by
        .map((field, at) => {
          const value = group.values[at] ?? null;
          return `${fieldLabel(field)}: ${value === null ? t`(none)` : value}`;
        })
        .join(" · "),
    [by, t],
  );
}

function GroupCell({
  group,
  by,
  column,
}: {
  group: RunGroup;
  by: readonly string[];
  column: string;
}) {
  if (column.startsWith("metrics.")) return <MeanOf metric={group.metrics[keyOf(column)]} />;
  const at = by.findIndex((field) => field === column || field === `attributes.${column}`);
  const value = at < 0 ? undefined : group.values[at];
  return value === undefined || value === null ? null : <Value value={value} />;
}

function MeanOf({ metric }: { metric: MetricOfGroup | undefined }) {
  const { t } = useLingui();
  const text = useNumberText();
  const formats = useFormats();
  if (!metric || metric.count === 0 || metric.mean === null) return <Value value={undefined} />;
  const { mean, std, min, max, count } = metric;
  const deviation = std === null ? "" : ` ± ${text(std, 2)}`;
  const range = min === null || max === null ? "" : `, ${text(min)} … ${text(max)}`;
  return (
    <span
      className={classes.text}
      title={`${t`Mean of ${formats.number(count)}`}: ${mean}${std === null ? "" : ` ± ${std}`}${range}`}
    >
      {text(mean, 4)}
      <span className={classes.deviation}>{deviation}</span>
    </span>
  );
}

type RestProps = {
  row: Extract<TableRow, { kind: "rest" }>;
  index: number;
  start: number;
  frame: RowFrame;
  actions: RowActions;
};

/** The end of an open group. */
export function RestRow({ row, index, start, frame, actions }: RestProps) {
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: see RunsTable
    // biome-ignore-start lint/a11y/useFocusableInteractive: see RunRow
    <div
      role="row"
      data-line={row.key}
      aria-rowindex={index + 2}
      className={classes.row}
      style={{ transform: `translateY(${start}px)` }}
    >
      <div
        role="cell"
        aria-colindex={1}
        className={`${classes.cell} ${classes.pinned}`}
        data-nested
        style={{ width: frame.nameWidth }}
      >
        <span data-main>
          {row.state === "loading" ? (
            <span role="status" className={classes.waiting}>
              <Loader size={14} aria-hidden />
              <Trans>The runs are being loaded</Trans>
            </span>
          ) : (
            <Button size="compact-xs" variant="subtle" onClick={() => actions.rest(row.groupKey)}>
              {row.state === "failed" ? (
                <Trans>Not loaded. Try again</Trans>
              ) : (
                <Plural value={row.left} one="# more run" other="# more runs" />
              )}
            </Button>
          )}
        </span>
      </div>
      <span className={`${classes.cell} ${classes.filler}`} />
    </div>
    // biome-ignore-end lint/a11y/useFocusableInteractive: see RunRow
    // biome-ignore-end lint/a11y/useSemanticElements: see RunsTable
  );
}
