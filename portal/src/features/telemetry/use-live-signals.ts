import { useEffect, useMemo, useState } from "react";
import type { Picture } from "@/charts/series";
import type { Channel, Shown } from "./channels";
import { type Followed, keyOf, LiveSignals, type Over } from "./live";
import { readPictures } from "./queries";

const historyPoints = 1500;

async function history(channels: readonly Followed[], from: number, to: number) {
  const found = new Map<string, Picture>();
  const parts = [...Map.groupBy(channels, ({ values }) => values)].map(([values, members]) =>
    readPictures(
      members.map(({ id }) => id),
      { from, to, points: historyPoints, values, sessionId: null },
    ).then((pictures) => {
      for (const [id, one] of pictures) found.set(keyOf({ id, values }), one);
    }),
  );
  await Promise.all(parts);
  return found;
}

/** One stream for the channels of a page, as long as the page is open. */
export function useLiveSignals(
  channels: readonly Channel[],
  seconds: number,
  over?: readonly Over[],
): LiveSignals {
  const [live] = useState(() => new LiveSignals({ history }));
  const wanted = useMemo(
    () =>
      channels
        .flatMap(({ id, values }) =>
          (values === "both" ? (["physical", "raw"] as const) : [values]).map((shown) =>
            keyOf({ id, values: shown }),
          ),
        )
        .sort()
        .join("\n"),
    [channels],
  );
  useEffect(() => {
    live.over = over ?? [];
  }, [live, over]);
  useEffect(() => {
    const followed =
      wanted === ""
        ? []
        : wanted.split("\n").map((line) => {
            const space = line.indexOf(" ");
            return { values: line.slice(0, space) as Shown, id: line.slice(space + 1) };
          });
    live.follow(followed, seconds);
    return () => live.stop();
  }, [live, wanted, seconds]);
  return live;
}
