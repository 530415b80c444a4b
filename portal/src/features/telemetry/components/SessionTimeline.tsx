import { Trans, useLingui } from "@lingui/react/macro";
import { useQueries } from "@tanstack/react-query";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import type { Range } from "@/charts/axis";
import { useFormats } from "@/ui/format";
import { useNow } from "../clock";
import { eventsQuery } from "../queries";
import classes from "./Telemetry.module.css";

type Props = {
  sessions: readonly CaptureSession[];
  /** The run, in seconds since 1970. */
  range: Range;
  chosen: string | null;
  onChoose: (id: string | null) => void;
};

/** When the run was recorded: its sessions as blocks, with the marks that were set. */
export function SessionTimeline({ sessions, range, chosen, onChoose }: Props) {
  const { t } = useLingui();
  const formats = useFormats();
  const now = useNow(sessions.some(({ status }) => status === "running"));
  const events = useQueries({ queries: sessions.slice(0, 50).map(({ id }) => eventsQuery(id)) });
  const end = Math.max(range[1], ...sessions.map((one) => endOf(one, now)));
  const place = (seconds: number) =>
    `${Math.min(100, Math.max(0, ((seconds - range[0]) / Math.max(1e-6, end - range[0])) * 100))}%`;
  const marks = events.flatMap(({ data }) => data ?? []).filter(({ kind }) => kind === "mark");
  return (
    <section aria-label={t`Sessions in time`}>
      <div className={classes.strip}>
        {sessions.map((session) => {
          const begin = Date.parse(session.started_at) / 1000;
          const width = Math.max(0, endOf(session, now) - begin);
          const label = session.name || `#${session.ordinal}`;
          return (
            <button
              key={session.id}
              type="button"
              className={classes.block}
              data-recording={session.status === "running" || undefined}
              aria-pressed={chosen === session.id}
              title={`${label}: ${formats.exact(session.started_at)}`}
              style={{
                // The newest stays in reach, however short it is beside a long run.
                insetInlineStart: `min(${place(begin)}, calc(100% - 24px))`,
                width: `calc(${(width / Math.max(1e-6, end - range[0])) * 100}%)`,
              }}
              onClick={() => onChoose(chosen === session.id ? null : session.id)}
            >
              {label}
            </button>
          );
        })}
        {marks.map(({ id, time, text }) => (
          <span
            key={id}
            className={classes.mark}
            title={text}
            style={{ insetInlineStart: place(Date.parse(time) / 1000) }}
          />
        ))}
      </div>
      <div className={classes.ends}>
        <span>{formats.dateTime(new Date(range[0] * 1000))}</span>
        <span>{formats.dateTime(new Date(end * 1000))}</span>
      </div>
      {marks.length > 0 ? (
        <ul className={classes.events} aria-label={t`Marks`}>
          {marks.slice(-20).map(({ id, time, text }) => (
            <li key={id}>
              <time dateTime={time}>{formats.dateTime(time)}</time> {text}
            </li>
          ))}
        </ul>
      ) : null}
      {sessions.length > 50 ? (
        <p className={classes.recorded}>
          <Trans>Marks of the newest 50 sessions</Trans>
        </p>
      ) : null}
    </section>
  );
}

function endOf({ stopped_at }: CaptureSession, now: number): number {
  return (stopped_at ? Date.parse(stopped_at) : now) / 1000;
}
