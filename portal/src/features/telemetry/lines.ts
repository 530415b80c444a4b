/** What charts draw of signals: their readings with their gaps, late ones and what was not converted. */

import { useLingui } from "@lingui/react/macro";
import type { Curve, Line } from "@/charts/axis";
import { gapsOf, type LatePoints, medianDistance, widestOf } from "@/charts/gaps";
import { pictured } from "@/charts/series";
import type { ShownChannel } from "./channels";
import type { LiveSignals } from "./live";
import type { SignalPicture } from "./queries";

export type ReasonWords = (reason: string) => string;

/** Why a value was not converted, in the reader's language. */
export function useReasonWords(): ReasonWords {
  const { t } = useLingui();
  const words: Record<string, string> = {
    no_profile: t`not converted: no profile held then`,
    out_of_table: t`not converted: outside of the table`,
    overflow: t`not converted: too large a number`,
  };
  return (reason) => words[reason] ?? reason;
}

/** The whole of a signal with its part in view, finer. */
export function historyLine(
  channel: ShownChannel,
  whole: SignalPicture | undefined,
  detail: SignalPicture | undefined,
  words: ReasonWords,
): Omit<Line, "id" | "label"> {
  const curve = pictured(whole, detail, () => ({ x: [], y: [] }));
  const why = new Map([...(whole?.unconverted ?? []), ...(detail?.unconverted ?? [])]);
  const coarse = widestIn(channel, whole);
  const fine = detail ? widestIn(channel, detail) : coarse;
  const range = detail?.range;
  const inside = (place: number) => range && place >= range[0] && place <= range[1];
  return {
    ...curve,
    coarse: !(detail?.exact ?? whole?.exact ?? true),
    gaps: gapsOf(curve, (place) => (inside(place) ? fine : coarse), why),
    late: lateOf(whole?.late ?? null, detail),
    reasons: said(why, words),
  };
}

function widestIn({ rate }: ShownChannel, picture: SignalPicture | undefined): number {
  if (!picture) return Number.POSITIVE_INFINITY;
  const { x, count, exact, range, points } = picture;
  const width = range ? range[1] - range[0] : 0;
  return widestOf(x, { rate, count, exact, width, points });
}

function lateOf(whole: LatePoints | null, detail: SignalPicture | undefined): LatePoints | null {
  const [fine, range] = [detail?.late, detail?.range];
  if (!whole || !fine || !range) return whole;
  const outside = whole.stretches.filter(([from, to]) => to < range[0] || from > range[1]);
  return {
    count: whole.count,
    stretches: [...outside, ...fine.stretches],
    places: new Set([...whole.places, ...fine.places]),
  };
}

/** A live curve is thinned to so many stretches of its window. */
const liveStretches = 150;
const livePeriods = 3;

/** The last seconds of a signal. */
export function liveLine(
  channel: ShownChannel,
  live: LiveSignals,
  edge: number,
  seconds: number,
  words: ReasonWords,
): Omit<Line, "id" | "label"> {
  const curve: Curve = live.curve(channel, edge);
  const period = channel.rate ? 1 / channel.rate : medianDistance(curve.x);
  const widest = Math.max(livePeriods * period, seconds / liveStretches) * (1 + 1e-9);
  const why = live.unconverted(channel);
  return {
    ...curve,
    gaps: gapsOf(curve, () => widest, why),
    late: live.late(channel, edge),
    reasons: said(why, words),
  };
}

function said(why: ReadonlyMap<number, string>, words: ReasonWords) {
  return why.size === 0
    ? undefined
    : new Map([...why].map(([place, reason]) => [place, words(reason)]));
}
