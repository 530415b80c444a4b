/** Which versions of conversion profiles made what is shown. */

import { useQueries } from "@tanstack/react-query";
import type { ConversionProfile } from "@/api/generated/models/conversionProfile";
import { getListProfilesQueryKey, listProfiles } from "@/api/generated/profiles/profiles";
import type { ShownChannel } from "./channels";

/** The published profiles of the channels' signals, of which each sensor is asked once a minute. */
export function useProfiles(
  channels: readonly ShownChannel[],
  wanted: boolean,
): readonly ConversionProfile[] {
  const sensors = [...new Set(channels.map(({ sensorId }) => sensorId))];
  const found = useQueries({
    queries: sensors.map((id) => ({
      queryKey: [...getListProfilesQueryKey(id), "published"],
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        (await listProfiles(id, { limit: 1000 }, { signal })).items.filter(
          ({ published_at }) => published_at !== null,
        ),
      staleTime: 60_000,
      enabled: wanted,
    })),
  });
  return found.flatMap(({ data }) => data ?? []);
}

/** `v3`, or `v3, v4` where one followed the other; with the signal where there are several. */
export function versionsOf(
  profiles: readonly ConversionProfile[],
  channels: readonly ShownChannel[],
  holds: (profile: ConversionProfile) => boolean,
): string {
  return channels
    .filter(({ values }) => values === "physical")
    .flatMap(({ sensorId, signal, label }) => {
      const versions = profiles
        .filter((one) => one.sensor_id === sensorId && one.signal === signal && holds(one))
        .map(({ version }) => version)
        .sort((a, b) => a - b)
        .map((version) => `v${version}`)
        .join(", ");
      if (!versions) return [];
      return channels.length > 1 ? `${label} ${versions}` : versions;
    })
    .join("; ");
}
