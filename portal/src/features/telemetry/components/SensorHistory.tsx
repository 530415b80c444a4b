import { Trans, useLingui } from "@lingui/react/macro";
import { Button, SegmentedControl } from "@mantine/core";
import { IconChartLine } from "@tabler/icons-react";
import { useState } from "react";
import type { Sensor } from "@/api/generated/models/sensor";
import type { Range } from "@/charts/axis";
import { EmptyState } from "@/ui/EmptyState";
import type { Channel, TelemetrySearch } from "../channels";
import { exportPath } from "../queries";
import { ExportMenu } from "./ExportMenu";
import { HistoryPanels } from "./HistoryPanels";

type Props = {
  sensor: Pick<Sensor, "id" | "last_received_at" | "created_at">;
  channels: readonly Channel[];
  search: TelemetrySearch;
  onSearch: (change: Partial<TelemetrySearch>) => void;
};

const spans = { hour: 3600, day: 86_400, week: 604_800, month: 2_592_000 } as const;
type Span = keyof typeof spans;

/** What a sensor measured, backwards from its last reading. */
export function SensorHistory({ sensor, channels, search, onSearch }: Props) {
  const { t } = useLingui();
  const [span, setSpan] = useState<Span>("hour");
  const [end, setEnd] = useState(() => endOf(sensor.last_received_at));
  const [zoom, setZoom] = useState<Range | null>(null);
  if (sensor.last_received_at === null) {
    return (
      <EmptyState icon={<IconChartLine size={24} />} title={t`Nothing measured yet`} titleOrder={2}>
        <Trans>What the sensor sends stands here from its first reading on.</Trans>
      </EmptyState>
    );
  }
  const range: Range = [end - spans[span], end];
  return (
    <HistoryPanels
      channels={channels}
      range={range}
      sessionId={null}
      search={search}
      onSearch={onSearch}
      onZoom={setZoom}
      actions={
        <>
          <SegmentedControl
            size="xs"
            aria-label={t`How far back`}
            value={span}
            onChange={(chosen) => {
              setSpan(chosen as Span);
              setEnd(endOf(sensor.last_received_at));
            }}
            data={[
              { value: "hour", label: t`1 h` },
              { value: "day", label: t`1 day` },
              { value: "week", label: t`1 week` },
              { value: "month", label: t`30 days` },
            ]}
          />
          <Button
            size="xs"
            variant="default"
            onClick={() => setEnd(endOf(sensor.last_received_at))}
          >
            <Trans>To the end</Trans>
          </Button>
          <ExportMenu
            label={t`Export what is in view`}
            path={(format) => exportPath([sensor.id], zoom ?? range, format)}
          />
        </>
      }
    />
  );
}

function endOf(lastReceived: string | null): number {
  return Math.ceil((lastReceived ? Date.parse(lastReceived) : Date.now()) / 1000) + 1;
}
