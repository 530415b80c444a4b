import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useFormats } from "@/ui/format";
import { Panel } from "@/ui/Panel";
import { cellsOf } from "../heartbeats";
import { heartbeatsQuery } from "../queries";
import classes from "./Sensors.module.css";

const spans = {
  hour: { hours: 1, width: 1, count: 60 },
  day: { hours: 24, width: 15, count: 96 },
  week: { hours: 168, width: 120, count: 84 },
} as const;
type Span = keyof typeof spans;

/** A way longer than this is one of a sensor that delivers late. */
const slowSeconds = 30;

/** When the sensor sent: how many readings a minute, and how long they were on their way. */
export function SensorHeartbeats({ sensorId }: { sensorId: string }) {
  const { t } = useLingui();
  const formats = useFormats();
  const [span, setSpan] = useState<Span>("hour");
  const { hours, width, count } = spans[span];
  const beats = useQuery(heartbeatsQuery(sensorId, hours));
  const now = beats.dataUpdatedAt || Date.now();
  const cells = cellsOf(beats.data ?? [], now, width, count);
  const sent = cells.reduce((sum, { minutes }) => sum + minutes, 0);
  const longest = Math.max(0, ...cells.map(({ longestWay }) => longestWay));
  const most = Math.max(1, ...cells.map(({ readings }) => readings));
  const readings = cells.reduce((sum, one) => sum + one.readings, 0);
  const rate = formats.number(readings / Math.max(1, sent) / 60, { maximumFractionDigits: 1 });
  const way = formats.duration(longest);
  const all = width * count;
  return (
    <Panel
      title={t`Heartbeats`}
      actions={
        <SegmentedControl
          size="xs"
          aria-label={t`How far back the heartbeats go`}
          value={span}
          onChange={(chosen) => setSpan(chosen as Span)}
          data={[
            { value: "hour", label: t`1 h` },
            { value: "day", label: t`1 day` },
            { value: "week", label: t`1 week` },
          ]}
        />
      }
    >
      {beats.isError ? (
        <ErrorNotice
          title={t`The heartbeats could not be loaded`}
          error={beats.error}
          onRetry={() => void beats.refetch()}
        />
      ) : (
        <>
          <svg
            className={classes.beats}
            viewBox={`0 0 ${count} 20`}
            preserveAspectRatio="none"
            role="img"
            aria-label={t`Sent in ${sent} of the last ${all} minutes`}
          >
            {cells.map((cell, index) => {
              const height = cell.readings > 0 ? Math.max(2, (cell.readings / most) * 19) : 0.6;
              const amount = formats.number(cell.readings);
              const at = formats.dateTime(new Date(cell.from));
              const took = formats.duration(cell.longestWay);
              return (
                <rect
                  key={cell.from}
                  x={index + 0.08}
                  y={20 - height}
                  width={0.84}
                  height={height}
                  data-beat={
                    cell.minutes === 0 ? "none" : cell.longestWay > slowSeconds ? "slow" : "sent"
                  }
                >
                  <title>
                    {cell.minutes === 0
                      ? t`${at}: nothing`
                      : t`${at}: ${amount} readings, longest way ${took}`}
                  </title>
                </rect>
              );
            })}
          </svg>
          <p className={classes.beatFacts}>
            {sent === 0 ? (
              <Trans>It sent nothing in this time.</Trans>
            ) : (
              <>
                <Plural value={sent} one="It sent in # minute" other="It sent in # minutes" />{" "}
                <Trans>
                  of {all}: {rate} readings a second on average, the longest way took {way}.
                </Trans>
              </>
            )}
          </p>
        </>
      )}
    </Panel>
  );
}
