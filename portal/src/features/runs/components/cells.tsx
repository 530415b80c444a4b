import { useLingui } from "@lingui/react/macro";
import type { ReactNode } from "react";
import type { Run } from "@/api/generated/models/run";
import { useFormats } from "@/ui/format";
import { StatusBadge } from "@/ui/StatusBadge";
import { TagList } from "@/ui/Tags";
import type { ColumnId } from "../columns";
import { keyOf } from "../columns";
import { Elapsed, Moment } from "../elapsed";
import classes from "./RunsTable.module.css";

export type LinkTo = (run: Run, children: ReactNode, className?: string) => ReactNode;

type Props = {
  run: Run;
  column: ColumnId;
  experimentLink: LinkTo;
  /** The run that metrics are measured against. */
  base?: Run | null;
};

/** What a column shows of a run. */
export function RunCell({ run, column, experimentLink, base }: Props) {
  if (column.startsWith("metrics.")) {
    const value = run.metrics[keyOf(column)];
    const other = base?.metrics[keyOf(column)];
    return (
      <>
        {typeof value === "number" && typeof other === "number" ? (
          <Delta value={value} base={other} />
        ) : null}
        <Value value={value} />
      </>
    );
  }
  if (column.startsWith("tags.")) return <Text text={run.tags[keyOf(column)] ?? null} />;
  if (column.startsWith("params.")) return <Value value={run.params[keyOf(column)]} />;
  switch (column) {
    case "status":
      return <StatusBadge status={run.status} />;
    case "experiment":
      return experimentLink(run, run.experiment_name, classes.link);
    case "created_at":
      return <Moment at={run.created_at} />;
    case "started_at":
      return <Moment at={run.started_at} />;
    case "duration":
      return <Elapsed run={run} />;
    case "tags":
      return <TagList tags={run.tags} single />;
    case "git":
      return <Git run={run} />;
    case "host":
      return <Text text={run.host} />;
    case "source":
      return <Text text={run.source} />;
    default:
      return null;
  }
}

export function isNumeric(column: ColumnId, runs: readonly Run[]): boolean {
  if (column.startsWith("metrics.") || column === "duration") return true;
  if (!column.startsWith("params.")) return false;
  const key = keyOf(column);
  return (
    runs.some((run) => key in run.params) &&
    runs.every((run) => ["number", "undefined"].includes(typeof run.params[key]))
  );
}

function Text({ text }: { text: string | null }) {
  return (
    <span className={classes.text} title={text ?? undefined}>
      {text ?? "—"}
    </span>
  );
}

/** A parameter or metric: numbers by language with six digits, everything else as it was logged. */
export function Value({ value }: { value: string | number | boolean | null | undefined }) {
  const { t } = useLingui();
  const numberText = useNumberText();
  if (value === undefined) {
    return (
      <>
        <span aria-hidden>—</span>
        <span className="rb-visually-hidden">{t`none`}</span>
      </>
    );
  }
  const text =
    typeof value === "number" ? numberText(value) : value === null ? "null" : String(value);
  return (
    <span className={classes.text} title={String(value)}>
      {text}
    </span>
  );
}

/** Numbers in a table: by language, with few digits, very large and very small ones in powers of ten. */
export function useNumberText(): (value: number, digits?: number) => string {
  const formats = useFormats();
  return (value, digits = 6) => {
    const size = Math.abs(value);
    const scientific = size !== 0 && (size < 1e-4 || size >= 1e9);
    const text = formats.number(value, {
      maximumSignificantDigits: scientific ? Math.min(digits, 4) : digits,
      notation: scientific ? "scientific" : "standard",
    });
    return scientific ? text.replace("E", "e") : text;
  };
}

/** How far a value is from the baseline's: sign and arrow say the direction, colour only repeats it. */
function Delta({ value, base }: { value: number; base: number }) {
  const { t } = useLingui();
  const text = useNumberText();
  const formats = useFormats();
  const delta = value - base;
  if (Number.isNaN(delta)) return null;
  const share = base === 0 ? Number.NaN : delta / Math.abs(base);
  const percent = Number.isFinite(share)
    ? ` (${formats.number(share, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" })})`
    : "";
  const way = delta > 0 ? "up" : delta < 0 ? "down" : "same";
  const words = `${delta > 0 ? "+" : ""}${text(delta, 3)}`;
  return (
    <span className={classes.delta} data-way={way} title={t`To the baseline: ${words}${percent}`}>
      <span aria-hidden>{way === "up" ? "▲" : way === "down" ? "▼" : "="}</span>
      {way === "same" ? <span className="rb-visually-hidden">{t`as the baseline`}</span> : words}
    </span>
  );
}

/** Branch and short commit, with a word when the working copy had changes. */
export function Git({ run }: { run: Pick<Run, "git_commit" | "git_branch" | "git_dirty"> }) {
  const { t } = useLingui();
  if (!run.git_commit) return <span>—</span>;
  return (
    <span className={classes.text} title={run.git_commit}>
      {run.git_branch ? `${run.git_branch} ` : ""}
      <span className="rb-mono">{run.git_commit.slice(0, 8)}</span>
      {run.git_dirty ? ` · ${t`changed`}` : ""}
    </span>
  );
}
