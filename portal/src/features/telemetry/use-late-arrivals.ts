import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { openFeed } from "@/api/events";
import type { CaptureSession } from "@/api/generated/models/captureSession";
import { summaryQuery } from "./queries";

type Arrived = { series: { t: number[] }[] };

/** However much arrives, it is looked at again this often at most. */
const gatherMs = 700;

/** Looks again at what a stopped session holds as soon as anything arrives for it. */
export function useLateArrivals({ id, status, started_at, stopped_at, sensors }: CaptureSession) {
  const client = useQueryClient();
  const ids = sensors.map(({ sensor_id }) => sensor_id).join(",");
  useEffect(() => {
    if (!stopped_at || !ids) return;
    const from = Date.parse(started_at) * 1000;
    const to = Date.parse(stopped_at) * 1000;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      timer = undefined;
      void client.invalidateQueries({ queryKey: summaryQuery({ id, status }).queryKey });
    };
    const close = openFeed({
      path: `/api/v1/telemetry/stream?${ids
        .split(",")
        .map((one) => `sensor_id=${one}`)
        .join("&")}`,
      on: {
        readings: (data) => {
          const { series } = JSON.parse(data) as Arrived;
          const ours = series.some(({ t }) => t.some((time) => time >= from && time < to));
          if (ours && timer === undefined) timer = setTimeout(look, gatherMs);
        },
      },
    });
    return () => {
      clearTimeout(timer);
      close();
    };
  }, [client, id, status, started_at, stopped_at, ids]);
}
