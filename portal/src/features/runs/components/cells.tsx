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

type Props = { run: Run; column: ColumnId; experimentLink: LinkTo };

/** What a column shows of a run. */
export function RunCell({ run, column, experimentLink }: Props) {
  if (column.startsWith("metrics.")) return <Value value={run.metrics[keyOf(column)]} />;
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
  const formats = useFormats();
  if (value === undefined) {
    return (
      <>
        <span aria-hidden>—</span>
        <span className="rb-visually-hidden">{t`none`}</span>
      </>
    );
  }
  const text =
    typeof value === "number"
      ? numberText(value, formats.number)
      : value === null
        ? "null"
        : String(value);
  return (
    <span className={classes.text} title={String(value)}>
      {text}
    </span>
  );
}

function numberText(
  value: number,
  format: (value: number, options?: Intl.NumberFormatOptions) => string,
): string {
  const size = Math.abs(value);
  const scientific = size !== 0 && (size < 1e-4 || size >= 1e9);
  const text = format(value, {
    maximumSignificantDigits: scientific ? 4 : 6,
    notation: scientific ? "scientific" : "standard",
  });
  return scientific ? text.replace("E", "e") : text;
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
