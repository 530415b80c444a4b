import { useEffect, useMemo, useState } from "react";
import type { Picture } from "@/charts/series";
import type { Channel, Values } from "./channels";
import { type Followed, LiveSignals } from "./live";
import { readPictures } from "./queries";

const historyPoints = 1500;

async function history(channels: readonly Followed[], from: number, to: number) {
  const found = new Map<string, Picture>();
  const parts = [...Map.groupBy(channels, ({ values }) => values)].map(([values, members]) =>
    readPictures(
      members.map(({ id }) => id),
      { from, to, points: historyPoints, values, sessionId: null },
    ),
  );
  for (const part of await Promise.all(parts)) for (const [id, one] of part) found.set(id, one);
  return found;
}

/** One stream for the channels of a page, as long as the page is open. */
export function useLiveSignals(channels: readonly Channel[], seconds: number): LiveSignals {
  const [live] = useState(() => new LiveSignals({ history }));
  const wanted = useMemo(
    () =>
      channels
        .map(({ id, values }) => `${values} ${id}`)
        .sort()
        .join("\n"),
    [channels],
  );
  useEffect(() => {
    const followed =
      wanted === ""
        ? []
        : wanted.split("\n").map((line) => {
            const space = line.indexOf(" ");
            return { values: line.slice(0, space) as Values, id: line.slice(space + 1) };
          });
    live.follow(followed, seconds);
    return () => live.stop();
  }, [live, wanted, seconds]);
  return live;
}
