import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, MultiSelect, NumberInput, TextInput } from "@mantine/core";
import { IconFlag, IconPlayerRecord, IconPlayerStop } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import type { Sensor } from "@/api/generated/models/sensor";
import { useFormats } from "@/ui/format";
import { announce, announceFailure } from "@/ui/notices";
import { clockText, useNow } from "../clock";
import { summaryQuery, useRecording } from "../queries";
import classes from "./Telemetry.module.css";

type Props = {
  runId: string;
  /** Those of the run. */
  sensors: readonly Pick<Sensor, "id" | "name" | "signals">[];
  /** Those that the project could record. */
  offered: readonly Pick<Sensor, "id" | "name">[];
  session: CaptureSession | null;
  /** Why nothing can be recorded now; null where it can. */
  hindrance: string | null;
};

/** Record and stop, with a running clock and what has been recorded so far. */
export function Recorder({ runId, sensors, offered, session, hindrance }: Props) {
  const { t } = useLingui();
  const recording = useRecording(runId);
  const [name, setName] = useState("");
  const [pinned, setPinned] = useState(false);
  const [stopAfter, setStopAfter] = useState<number | null>(null);
  const attached = sensors.map(({ id }) => id);
  const all = new Map([...sensors, ...offered].map(({ id, name }) => [id, name]));

  function choose(chosen: string[]): void {
    const onError = (error: unknown) => announceFailure(t`The sensors were not changed`, error);
    for (const id of chosen.filter((one) => !attached.includes(one))) {
      recording.attach.mutate(id, { onError });
    }
    for (const id of attached.filter((one) => !chosen.includes(one))) {
      recording.detach.mutate(id, { onError });
    }
  }

  if (session) {
    return <Running session={session} recording={recording} canStop={hindrance === null} />;
  }
  return (
    <section className={classes.recorder} aria-label={t`Recording`}>
      <Button
        color="red"
        leftSection={<IconPlayerRecord size={18} aria-hidden />}
        disabled={hindrance !== null || sensors.length === 0}
        loading={recording.start.isPending}
        onClick={() =>
          recording.start.mutate(
            {
              ...(name.trim() ? { name: name.trim() } : {}),
              ...(stopAfter ? { stop_after_seconds: stopAfter } : {}),
              pin_profiles: pinned,
            },
            {
              onSuccess: () => setName(""),
              onError: (error) => announceFailure(t`Recording did not begin`, error),
            },
          )
        }
      >
        <Trans>Record</Trans>
      </Button>
      {hindrance ? (
        <span className={classes.recorded}>{hindrance}</span>
      ) : (
        <>
          <MultiSelect
            size="xs"
            searchable
            style={{ flex: "1 1 16rem", maxWidth: "32rem" }}
            aria-label={t`Sensors of the run`}
            placeholder={sensors.length === 0 ? t`Choose the sensors to record` : undefined}
            data={[...all].map(([value, label]) => ({ value, label }))}
            value={attached}
            onChange={choose}
          />
          <TextInput
            size="xs"
            aria-label={t`Name of the session`}
            placeholder={t`Name (optional)`}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <NumberInput
            size="xs"
            w="9rem"
            aria-label={t`Stops by itself after so many seconds`}
            placeholder={t`Stop after, s`}
            min={1}
            max={31_536_000}
            suffix={t` s`}
            value={stopAfter ?? ""}
            onChange={(value) =>
              setStopAfter(typeof value === "number" && value > 0 ? value : null)
            }
          />
          <Checkbox
            size="xs"
            label={t`Keep the profiles as they are now`}
            checked={pinned}
            onChange={(event) => setPinned(event.currentTarget.checked)}
          />
        </>
      )}
    </section>
  );
}

type RunningProps = {
  session: CaptureSession;
  recording: ReturnType<typeof useRecording>;
  canStop: boolean;
};

function Running({ session, recording, canStop }: RunningProps) {
  const { t } = useLingui();
  const formats = useFormats();
  const now = useNow(true);
  const summary = useQuery(summaryQuery(session));
  const [text, setText] = useState("");
  const readings = (summary.data ?? []).reduce((sum, { count }) => sum + count, 0);
  const count = session.sensors.length;
  const amount = formats.number(readings, { maximumFractionDigits: 0 });

  function mark(event: FormEvent): void {
    event.preventDefault();
    recording.mark.mutate(
      { id: session.id, text: text.trim() || t`Mark` },
      {
        onSuccess: () => {
          setText("");
          announce(t`The mark is set`);
        },
        onError: (error) => announceFailure(t`The mark was not set`, error),
      },
    );
  }

  return (
    <section className={classes.recorder} data-recording aria-label={t`Recording`}>
      <Button
        variant="default"
        leftSection={<IconPlayerStop size={18} aria-hidden />}
        disabled={!canStop}
        loading={recording.stop.isPending}
        onClick={() =>
          recording.stop.mutate(session.id, {
            onSuccess: () => announce(t`The session is recorded`),
            onError: (error) => announceFailure(t`Recording did not stop`, error),
          })
        }
      >
        <Trans>Stop</Trans>
      </Button>
      <span className={classes.clock} role="timer" aria-label={t`Recording for`}>
        {clockText(now - Date.parse(session.started_at))}
      </span>
      {session.stop_at ? <StopsIn at={session.stop_at} now={now} /> : null}
      <span className={classes.recorded}>
        <Plural value={count} one="# sensor" other="# sensors" />
        {", "}
        <Trans>{amount} readings</Trans>
      </span>
      <form onSubmit={mark} style={{ display: "flex", gap: "0.375rem" }}>
        <TextInput
          size="xs"
          aria-label={t`Text of the mark`}
          placeholder={t`What happened?`}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button
          size="xs"
          type="submit"
          variant="default"
          leftSection={<IconFlag size={15} aria-hidden />}
          loading={recording.mark.isPending}
        >
          <Trans>Mark</Trans>
        </Button>
      </form>
    </section>
  );
}

function StopsIn({ at, now }: { at: string; now: number }) {
  const left = clockText(Date.parse(at) - now);
  return (
    <span className={classes.recorded}>
      <Trans>stops by itself in {left}</Trans>
    </span>
  );
}
