import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Line, PointAxis, Range } from "@/charts/axis";
import { type Banded, type BandKind, type Bucketed, banded, spliced } from "@/charts/bands";
import { bucketsQuery } from "./queries";
import { mayGrow, type RunGroup } from "./runs";
import type { Lines } from "./use-run-lines";

type Options = {
  groups: readonly RunGroup[];
  metric: string;
  axis: PointAxis;
  zoom: Range | null;
  band: BandKind;
  /** New points stay out. */
  frozen: boolean;
};

/** In how many stretches the axis is cut. */
const intervals = 300;
const againEveryMs = 5_000;

/** Groups of runs as lines: the mean of their runs, and how far these lie apart. */
export function useGroupLines({ groups, metric, axis, zoom, band, frozen }: Options): Lines {
  const runs = groups.flatMap((group) => group.runs);
  const ids = runs.map(({ id }) => id);
  const follow = !frozen && zoom === null && runs.some(mayGrow) ? againEveryMs : false;
  const whole = useQuery({
    ...bucketsQuery(ids, metric, axis, null, intervals),
    refetchInterval: follow,
  });
  const detail = useQuery({
    ...bucketsQuery(ids, metric, axis, zoom, intervals),
    enabled: zoom !== null,
    placeholderData: undefined,
  });
  const lines = useMemo(
    () =>
      groups.map((group): Line & Pick<Banded, "points"> => {
        const part = (found: Map<string, Bucketed>) =>
          banded(
            group.runs.flatMap(({ id }) => found.get(id) ?? []),
            band,
          );
        const all = whole.data ? part(whole.data) : { x: [], y: [], points: 0 };
        const fine = detail.data && zoom ? part(detail.data) : null;
        return {
          id: `group ${group.id}`,
          label: group.label,
          look: group.look,
          metric,
          ...spliced(all, fine, zoom),
        };
      }),
    [groups, metric, band, zoom, whole.data, detail.data],
  );
  const stored = lines.reduce((sum, { points }) => sum + points, 0);
  return {
    lines,
    fullness: { shown: stored, stored, exact: true },
    error: whole.data ? null : whole.error,
    retry: () => void whole.refetch(),
    ready: whole.data !== undefined,
    refreshing: detail.isFetching && zoom !== null,
  };
}
