import { Trans, useLingui } from "@lingui/react/macro";
import { IconBox } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Run } from "@/api/generated/models/run";
import { CopyButton } from "@/ui/CopyButton";
import { EmptyState } from "@/ui/EmptyState";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { Git } from "./cells";
import classes from "./RunPage.module.css";

/** Where and with what a run was made. */
export function EnvironmentPanel({ run }: { run: Run }) {
  const { t } = useLingui();
  const environment = Object.entries(run.environment);
  const facts: { name: string; value: ReactNode; known: boolean }[] = [
    {
      name: t`Run id`,
      value: <Copyable text={run.id} label={t`Copy the run id`} />,
      known: true,
    },
    { name: t`Source`, value: run.source, known: Boolean(run.source) },
    { name: t`Host`, value: run.host, known: Boolean(run.host) },
    { name: "Git", value: <Git run={run} />, known: run.git_commit !== null },
    {
      name: t`Commit`,
      value: <Copyable text={run.git_commit ?? ""} label={t`Copy the commit`} />,
      known: run.git_commit !== null,
    },
    { name: t`Created`, value: <TimeText at={run.created_at} as="dateTime" />, known: true },
    {
      name: t`Started`,
      value: <TimeText at={run.started_at} as="dateTime" />,
      known: run.started_at !== null,
    },
    {
      name: t`Finished`,
      value: <TimeText at={run.finished_at} as="dateTime" />,
      known: run.finished_at !== null,
    },
    {
      name: t`Last sign of life`,
      value: <TimeText at={run.last_heartbeat_at} />,
      known: run.last_heartbeat_at !== null,
    },
  ];
  return (
    <div className={classes.columns}>
      <Panel title={t`Origin`} flush>
        <table className={classes.pairs}>
          <tbody>
            {facts
              .filter(({ known }) => known)
              .map(({ name, value }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{value}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </Panel>
      <Panel
        title={t`Environment`}
        flush
        actions={
          environment.length > 0 ? (
            <CopyButton
              text={JSON.stringify(run.environment, null, 2)}
              label={t`Copy the environment as JSON`}
            />
          ) : null
        }
      >
        {environment.length > 0 ? (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
          <div className={classes.scroll} tabIndex={0}>
            <table className={classes.pairs}>
              <tbody>
                {environment.map(([key, value]) => (
                  <tr key={key}>
                    <th scope="row">{key}</th>
                    <td>
                      {typeof value === "object" && value !== null ? (
                        <pre className={`rb-mono ${classes.json}`}>
                          {JSON.stringify(value, null, 2)}
                        </pre>
                      ) : (
                        String(value)
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        ) : (
          <EmptyState icon={<IconBox size={24} />} title={t`No environment recorded`}>
            <Trans>The Python client records interpreter, packages and machine by itself.</Trans>
          </EmptyState>
        )}
      </Panel>
    </div>
  );
}

function Copyable({ text, label }: { text: string; label: string }) {
  return (
    <span style={{ display: "inline-flex", alignItems: "center", gap: "0.25rem" }}>
      <span className="rb-mono">{text}</span>
      <CopyButton text={text} label={label} />
    </span>
  );
}
