import { useEffect, useState } from "react";
import type { Values } from "./channels";
import { LiveSignals } from "./live";
import { readPictures } from "./queries";

const historyPoints = 1500;

/** One stream for the channels of a page, as long as the page is open. */
export function useLiveSignals(
  channels: readonly string[],
  seconds: number,
  values: Values,
): LiveSignals {
  const [live] = useState(
    () =>
      new LiveSignals({
        history: (ids, from, to, shown) =>
          readPictures(ids, { from, to, points: historyPoints, values: shown, sessionId: null }),
      }),
  );
  const wanted = channels.join("\n");
  useEffect(() => {
    live.follow(wanted === "" ? [] : wanted.split("\n"), seconds, values);
    return () => live.stop();
  }, [live, wanted, seconds, values]);
  return live;
}
