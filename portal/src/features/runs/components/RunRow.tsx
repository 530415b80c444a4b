import { useLingui } from "@lingui/react/macro";
import {
  IconEye,
  IconEyeOff,
  IconFlag,
  IconFlagFilled,
  IconPin,
  IconPinFilled,
} from "@tabler/icons-react";
import { memo } from "react";
import type { Run } from "@/api/generated/models/run";
import { type LinkTo, RunCell } from "./cells";
import { LookPicker } from "./LookPicker";
import classes from "./RunsTable.module.css";
import { type Placed, placeOf, type RowFrame } from "./table-frame";

/** What rows can ask for. `line` is a row, which may stand for several runs. */
export type RowActions = {
  select: (line: string, range: boolean) => void;
  activate: (line: string) => void;
  hide: (ids: readonly string[], hidden: boolean) => void;
  pin: (id: string) => void;
  base: (id: string) => void;
  look: (id: string, look: number | undefined) => void;
  open: (groupKey: string) => void;
  rest: (groupKey: string) => void;
};

type Props = {
  run: Run;
  line: string;
  index: number;
  /** Pixels from the top; `null` for a row that stays under the head. */
  start: number | null;
  frame: RowFrame;
  selected: boolean;
  hidden: boolean;
  look: number | undefined;
  pinned: boolean;
  base: Run | null;
  /** A member of a group. */
  nested: boolean;
  withCharts: boolean;
  actions: RowActions;
  runLink: LinkTo;
  experimentLink: LinkTo;
};

/** One run. It is drawn again only when itself, its place or the columns change. */
export const RunRow = memo(function RunRow(props: Props) {
  const { run, line, frame, hidden, pinned, base, actions } = props;
  const { t } = useLingui();
  const isBase = base?.id === run.id;
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
      <RunCell
        run={run}
        column={column.id}
        base={isBase ? null : base}
        experimentLink={props.experimentLink}
      />
    </div>
  );
  return (
    // biome-ignore-start lint/a11y/useSemanticElements: see RunsTable
    // biome-ignore-start lint/a11y/useFocusableInteractive: the focus is on the link and buttons inside each row
    <div
      role="row"
      data-line={line}
      data-run={run.id}
      data-hidden={hidden || undefined}
      data-pinned={pinned || undefined}
      aria-rowindex={props.index + 2}
      aria-selected={props.selected}
      className={classes.row}
      style={props.start === null ? undefined : { transform: `translateY(${props.start}px)` }}
      onFocus={() => actions.activate(line)}
    >
      <div
        role="rowheader"
        aria-colindex={1}
        className={`${classes.cell} ${classes.pinned}`}
        data-nested={props.nested || undefined}
        style={{ width: frame.nameWidth }}
      >
        <label className={classes.box}>
          <input
            type="checkbox"
            aria-label={t`Select ${run.name}`}
            checked={props.selected}
            onClick={(event) => actions.select(line, event.shiftKey)}
            readOnly
          />
        </label>
        {props.withCharts ? (
          <LookPicker
            name={run.name}
            look={hidden ? undefined : props.look}
            onLook={(look) => actions.look(run.id, look)}
          />
        ) : null}
        <span data-main className={classes.main}>
          {props.runLink(run, run.name, classes.name)}
        </span>
        {isBase ? <span className={classes.badge}>{t`baseline`}</span> : null}
        <span className={classes.tools}>
          {props.withCharts ? (
            <button
              type="button"
              className={classes.tool}
              aria-pressed={hidden}
              aria-label={t`Hide ${run.name} from charts`}
              title={hidden ? t`Show in charts` : t`Hide from charts`}
              onClick={() => actions.hide([run.id], !hidden)}
            >
              {hidden ? <IconEyeOff size={15} aria-hidden /> : <IconEye size={15} aria-hidden />}
            </button>
          ) : null}
          <button
            type="button"
            className={classes.tool}
            aria-pressed={pinned}
            aria-label={t`Keep ${run.name} on top`}
            title={pinned ? t`No longer on top` : t`Keep on top`}
            onClick={() => actions.pin(run.id)}
          >
            {pinned ? <IconPinFilled size={15} aria-hidden /> : <IconPin size={15} aria-hidden />}
          </button>
          <button
            type="button"
            className={classes.tool}
            aria-pressed={isBase}
            aria-label={t`Measure the others against ${run.name}`}
            title={isBase ? t`No longer the baseline` : t`Make it the baseline`}
            onClick={() => actions.base(run.id)}
          >
            {isBase ? <IconFlagFilled size={15} aria-hidden /> : <IconFlag size={15} aria-hidden />}
          </button>
        </span>
      </div>
      {frame.stuck.map((column) => cell(column, true))}
      <span style={{ flex: `0 0 ${frame.before}px` }} />
      {frame.shown.map((column) => cell(column, false))}
      <span className={`${classes.cell} ${classes.filler}`} style={{ minWidth: frame.after }} />
    </div>
    // biome-ignore-end lint/a11y/useFocusableInteractive: see above
    // biome-ignore-end lint/a11y/useSemanticElements: see RunsTable
  );
});
