import { useLingui } from "@lingui/react/macro";
import { IconTrophy } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { ArtifactRow } from "@/api/generated/models/artifactRow";
import type { ComparedRun } from "@/api/generated/models/comparedRun";
import type { Delta } from "@/api/generated/models/delta";
import type { MetricRow } from "@/api/generated/models/metricRow";
import type { ValueRow } from "@/api/generated/models/valueRow";
import { useFormats } from "@/ui/format";
import classes from "./Comparison.module.css";

const absent = "—";

type TableProps = {
  label: string;
  /** What the first column holds. */
  first: string;
  runs: readonly ComparedRun[];
  baseline: string | null;
  runLink: (run: ComparedRun) => ReactNode;
  rows: readonly { key: string; cells: readonly ReactNode[] }[];
  /** Said where there is no row. */
  nothing: string;
};

/** One column a run, one row a thing to compare. */
function SideBySide({ label, first, runs, baseline, runLink, rows, nothing }: TableProps) {
  const { t } = useLingui();
  if (rows.length === 0) return <p className={classes.nothing}>{nothing}</p>;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard
    <section className={classes.scroll} aria-label={label} tabIndex={0}>
      <table className={classes.table} aria-label={label}>
        <thead>
          <tr>
            <th scope="col">{first}</th>
            {runs.map((run) => (
              <th scope="col" key={run.id}>
                {runLink(run)}
                <span className={classes.delta}>
                  {run.id === baseline ? t`Baseline` : run.experiment_name}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells }) => (
            <tr key={key}>
              <th scope="row" className={`rb-mono ${classes.key}`} title={key}>
                {key}
              </th>
              {cells.map((cell, place) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a cell's place is its run
                <td key={place}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

type Side = Pick<TableProps, "runs" | "baseline" | "runLink">;

/** The metrics: the last value of each run, the best marked, and how far each is from the baseline. */
export function MetricsSide({ metrics, ...side }: Side & { metrics: readonly MetricRow[] }) {
  const { t } = useLingui();
  const formats = useFormats();
  const shown = (value: number | string | null) =>
    typeof value === "number" ? formats.number(value) : (value ?? absent);
  const delta = (found: Delta | null | undefined) => {
    if (!found || found.absolute === null) return null;
    const sign = { signDisplay: "exceptZero" } as const;
    const relative =
      found.relative === null
        ? ""
        : ` (${formats.number(found.relative, { ...sign, style: "percent", maximumFractionDigits: 1 })})`;
    const absolute = formats.number(found.absolute, { ...sign, maximumSignificantDigits: 4 });
    return <span className={classes.delta}>{`${absolute}${relative}`}</span>;
  };
  return (
    <SideBySide
      {...side}
      label={t`Metrics side by side`}
      first={t`Metric`}
      nothing={t`No metric differs`}
      rows={metrics.map(({ key, cells, deltas, best_run_id: best }) => ({
        key,
        cells: cells.map((cell, place) => {
          if (!cell) return absent;
          const run = side.runs[place];
          const isBest = run !== undefined && run.id === best;
          return (
            <span className={classes.number} key={run?.id ?? place}>
              <span className={isBest ? classes.best : undefined}>{shown(cell.last)}</span>
              {isBest ? <IconTrophy size={13} aria-label={t`the best`} role="img" /> : null}
              {run?.id === side.baseline ? null : delta(deltas[place])}
            </span>
          );
        }),
      }))}
    />
  );
}

/** Params, tags or parts of the environment. */
export function ValuesSide({
  label,
  nothing,
  values,
  ...side
}: Side & { label: string; nothing: string; values: readonly ValueRow[] }) {
  const { t } = useLingui();
  const formats = useFormats();
  return (
    <SideBySide
      {...side}
      label={label}
      first={t`Key`}
      nothing={nothing}
      rows={values.map(({ key, values: cells, missing }) => ({
        key,
        cells: cells.map((value, place) => {
          if (missing.includes(place)) return absent;
          if (typeof value === "number") return formats.number(value);
          const text = String(value);
          return (
            <span className={classes.text} title={text} key={side.runs[place]?.id ?? place}>
              {text}
            </span>
          );
        }),
      }))}
    />
  );
}

/** Files: the same content is told by its digest. */
export function FilesSide({ files, ...side }: Side & { files: readonly ArtifactRow[] }) {
  const { t } = useLingui();
  const formats = useFormats();
  return (
    <SideBySide
      {...side}
      label={t`Files side by side`}
      first={t`Path`}
      nothing={t`No file differs`}
      rows={files.map(({ path, cells }) => ({
        key: path,
        cells: cells.map((cell, place) =>
          cell ? (
            <span key={side.runs[place]?.id ?? place}>
              <span className="rb-mono">{cell.sha256.slice(0, 10)}</span>
              <span className={classes.delta}>{formats.number(cell.size)} B</span>
            </span>
          ) : (
            absent
          ),
        ),
      }))}
    />
  );
}
