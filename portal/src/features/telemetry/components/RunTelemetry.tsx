import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Stack } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import type { Sensor } from "@/api/generated/models/sensor";
import type { Range } from "@/charts/axis";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { Panel } from "@/ui/Panel";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { channelId, channelsOf, convertedIn, type TelemetrySearch } from "../channels";
import type { Over } from "../live";
import {
  latestQuery,
  runSensorsQuery,
  sessionExportPath,
  sessionsQuery,
  summaryQuery,
} from "../queries";
import { useLateArrivals } from "../use-late-arrivals";
import { ExportMenu } from "./ExportMenu";
import { HistoryPanels } from "./HistoryPanels";
import { LivePanels } from "./LivePanels";
import { Recorder } from "./Recorder";
import { SessionsTable } from "./SessionsTable";
import { SessionTimeline } from "./SessionTimeline";
import classes from "./Telemetry.module.css";

type Props = {
  run: { id: string; status: string; started_at: string | null; finished_at: string | null };
  /** Those that the project could record. */
  offered: readonly Sensor[];
  canEdit: boolean;
  search: TelemetrySearch;
  onSearch: (change: Partial<TelemetrySearch>) => void;
  /** The session that is looked at; `null` looks at what comes now. */
  chosen: string | null;
  onChoose: (sessionId: string | null) => void;
  /** Leads to the project's sensors. */
  sensorsLink: ReactNode;
};

/** A run's sensors: record and stop, what comes now, and every session that was recorded. */
export function RunTelemetry(props: Props) {
  const { run, offered, canEdit, search, onSearch, chosen, onChoose } = props;
  const { t } = useLingui();
  const sensors = useQuery(runSensorsQuery(run.id));
  const sessions = useQuery(sessionsQuery(run.id));
  const values = search.values ?? "physical";
  const attached = sensors.data;
  const latest = useQuery(latestQuery((attached ?? []).map(({ id }) => id)));
  const channels = useMemo(
    () => channelsOf(attached ?? [], values, convertedIn(latest.data)),
    [attached, values, latest.data],
  );
  const active = sessions.data?.find(({ status }) => status === "running") ?? null;
  const session = sessions.data?.find(({ id }) => id === chosen) ?? null;
  const over = useMemo(() => stoppedOf(sessions.data ?? []), [sessions.data]);
  const failed = sensors.error ?? sessions.error;
  if (failed && (!attached || !sessions.data)) {
    return (
      <ErrorNotice
        title={t`The telemetry of the run could not be loaded`}
        error={failed}
        onRetry={() => {
          void sensors.refetch();
          void sessions.refetch();
        }}
      />
    );
  }
  if (!attached || !sessions.data) return <TableSkeleton columns={3} />;
  const hindrance = !canEdit
    ? t`Only editors record.`
    : run.status === "running"
      ? null
      : t`Only a running run records.`;
  if (attached.length === 0 && offered.length === 0 && sessions.data.length === 0) {
    return (
      <EmptyState
        icon={<IconGauge size={24} />}
        title={t`No sensor to record`}
        titleOrder={2}
        actions={props.sensorsLink}
      >
        <Trans>
          Register a sensor in the project first; then choose here which ones belong to this run,
          and press Record.
        </Trans>
      </EmptyState>
    );
  }
  return (
    <Stack gap="md">
      <Recorder
        runId={run.id}
        sensors={attached}
        offered={offered}
        session={active}
        hindrance={hindrance}
      />
      {session ? (
        <SessionView
          key={session.id}
          session={session}
          search={search}
          onSearch={onSearch}
          onClose={() => onChoose(null)}
        />
      ) : channels.length > 0 ? (
        <div>
          <LivePanels channels={channels} over={over} search={search} onSearch={onSearch} />
        </div>
      ) : null}
      {sessions.data.length > 0 ? (
        <SessionTimeline
          sessions={sessions.data}
          range={rangeOf(run, sessions.data)}
          chosen={chosen}
          onChoose={onChoose}
        />
      ) : null}
      <Panel flush title={t`Capture sessions`}>
        <SessionsTable sessions={sessions.data} chosen={chosen} onChoose={onChoose} />
      </Panel>
    </Stack>
  );
}

/** The spans of the sessions that are over. */
function stoppedOf(sessions: readonly CaptureSession[]): Over[] {
  return sessions.flatMap(({ started_at, stopped_at }) =>
    stopped_at ? [[Date.parse(started_at) / 1000, Date.parse(stopped_at) / 1000]] : [],
  );
}

function rangeOf({ started_at, finished_at }: Props["run"], sessions: CaptureSession[]): Range {
  const begins = sessions.map((one) => Date.parse(one.started_at));
  const ends = sessions.map((one) => Date.parse(one.stopped_at ?? one.started_at));
  const begin = Math.min(started_at ? Date.parse(started_at) : Number.POSITIVE_INFINITY, ...begins);
  const end = Math.max(finished_at ? Date.parse(finished_at) : 0, ...ends);
  return [begin / 1000, end / 1000];
}

type SessionProps = Pick<Props, "search" | "onSearch"> & {
  session: CaptureSession;
  onClose: () => void;
};

function SessionView({ session, search, onSearch, onClose }: SessionProps) {
  const { t } = useLingui();
  const summary = useQuery(summaryQuery(session));
  useLateArrivals(session);
  const values = search.values ?? "physical";
  const latest = useQuery(latestQuery(session.sensors.map(({ sensor_id }) => sensor_id)));
  const channels = useMemo(() => {
    const pinned = Object.entries(session.profiles).flatMap(([sensorId, signals]) =>
      Object.keys(signals).map((signal) => channelId(sensorId, signal)),
    );
    return channelsOf(
      session.sensors.map(({ sensor_id, name, signals }) => ({ id: sensor_id, name, signals })),
      values,
      new Set([...convertedIn(latest.data), ...pinned]),
    );
  }, [session.sensors, session.profiles, values, latest.data]);
  const late = (summary.data ?? []).reduce((sum, one) => sum + one.late_count, 0);
  const count = (summary.data ?? []).reduce((sum, one) => sum + one.count, 0);
  const label = session.name || `#${session.ordinal}`;
  const begin = Date.parse(session.started_at) / 1000;
  const end = session.stopped_at ? Date.parse(session.stopped_at) / 1000 : null;
  // While it runs its end moves; the picture goes as far as the readings that were counted.
  const newest = Math.max(begin + 1, ...(summary.data ?? []).map(({ last }) => (last ?? 0) / 1e6));
  const range = useMemo<Range>(() => [begin, end ?? newest], [begin, end, newest]);
  return (
    <Panel
      title={t`Session ${label}`}
      actions={
        <Group gap="xs">
          <ExportMenu
            label={t`Export session ${label}`}
            path={(format) => sessionExportPath(session.id, format)}
          />
          <Button size="xs" variant="default" onClick={onClose}>
            <Trans>Back to live</Trans>
          </Button>
        </Group>
      }
    >
      {late > 0 ? (
        <Alert color="yellow" variant="light" mb="sm">
          <span className={classes.late}>
            <Plural
              value={late}
              one="# reading came after the session had been stopped."
              other="# readings came after the session had been stopped."
            />
          </span>{" "}
          <Trans>They belong to it by their time and are part of the curves.</Trans>
        </Alert>
      ) : null}
      <HistoryPanels
        revision={count}
        channels={channels}
        range={range}
        sessionId={session.id}
        search={search}
        onSearch={onSearch}
      />
    </Panel>
  );
}
