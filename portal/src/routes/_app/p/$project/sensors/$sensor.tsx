import { useLingui } from "@lingui/react/macro";
import { Stack, Tabs } from "@mantine/core";
import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import * as v from "valibot";
import { addTexts } from "@/app/i18n";
import { projectQuery, projectsQuery } from "@/features/projects/queries";
import { ImportFile } from "@/features/sensors/components/ImportFile";
import { Profiles } from "@/features/sensors/components/Profiles";
import { SensorErrors } from "@/features/sensors/components/SensorErrors";
import { SensorHeader } from "@/features/sensors/components/SensorHeader";
import { SensorHeartbeats } from "@/features/sensors/components/SensorHeartbeats";
import { SensorLimits } from "@/features/sensors/components/SensorLimits";
import { SensorTokens } from "@/features/sensors/components/SensorTokens";
import { SetAsideBatches } from "@/features/sensors/components/SetAsideBatches";
import { SharingPanel } from "@/features/sensors/components/SharingPanel";
import { SignalsPanel } from "@/features/sensors/components/SignalsPanel";
import { sensorQuery } from "@/features/sensors/queries";
import {
  channelsOf,
  convertedIn,
  type TelemetrySearch,
  telemetrySearch,
} from "@/features/telemetry/channels";
import { LivePanels } from "@/features/telemetry/components/LivePanels";
import { SensorHistory } from "@/features/telemetry/components/SensorHistory";
import { latestQuery } from "@/features/telemetry/queries";
import classes from "@/ui/TwoColumns.module.css";

const tabs = ["history", "profiles", "token", "errors"] as const;
const firstTab = "live";

export const Route = createFileRoute("/_app/p/$project/sensors/$sensor")({
  validateSearch: v.object({
    ...telemetrySearch,
    tab: v.optional(v.fallback(v.optional(v.picklist(tabs)), undefined)),
  }),
  loader: async ({ context, params }) => {
    const texts = addTexts("charts", "telemetry");
    const queries = await import("@/features/sensors/queries");
    await context.queryClient.ensureQueryData(queries.sensorQuery(params.sensor));
    await texts;
  },
  component: SensorPage,
});

function SensorPage() {
  const { t } = useLingui();
  const { project: slug, sensor: id } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const { data: sensor } = useSuspenseQuery(sensorQuery(id));
  const projects = useInfiniteQuery(projectsQuery({}));
  const { tab = firstTab, ...search } = Route.useSearch();
  const navigate = Route.useNavigate();
  const latest = useQuery(latestQuery([id]));
  const home = sensor.project_id === project.id;
  const canEdit = home && project.role !== "viewer" && project.archived_at === null;
  const changeable = canEdit && sensor.status === "active";
  const onSearch = useCallback(
    (change: Partial<TelemetrySearch>) =>
      void navigate({ search: (old) => ({ ...old, ...change }), replace: true }),
    [navigate],
  );
  const { values = "physical" } = search;
  const { signals, name } = sensor;
  const channels = useMemo(
    () => channelsOf([{ id, name, signals }], values, convertedIn(latest.data)),
    [id, name, signals, values, latest.data],
  );
  const lastRaw = (signal: string) =>
    latest.data?.find((one) => one.signal === signal)?.raw ?? null;

  return (
    <>
      <SensorHeader sensor={sensor} canEdit={canEdit} />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(chosen) =>
          void navigate({
            search: (old) => ({ ...old, tab: tabs.find((one) => one === chosen) }),
          })
        }
      >
        <Tabs.List mb="md">
          <Tabs.Tab value={firstTab}>{t`Live`}</Tabs.Tab>
          <Tabs.Tab value="history">{t`History`}</Tabs.Tab>
          <Tabs.Tab value="profiles">{t`Profiles`}</Tabs.Tab>
          <Tabs.Tab value="token">{t`Token`}</Tabs.Tab>
          <Tabs.Tab value="errors">{t`Errors`}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value={firstTab}>
          <Stack gap="lg">
            <LivePanels channels={channels} search={search} onSearch={onSearch} />
            <SensorHeartbeats sensorId={id} />
            <SensorLimits sensor={sensor} canEdit={changeable} />
            <div className={classes.halves}>
              <SignalsPanel sensor={sensor} canEdit={changeable} />
              <SharingPanel
                sensor={sensor}
                canEdit={changeable}
                projects={projects.data?.pages.flatMap(({ items }) => items) ?? []}
              />
            </div>
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="history">
          <Stack gap="lg">
            <SensorHistory
              sensor={sensor}
              channels={channels}
              search={search}
              onSearch={onSearch}
            />
            {changeable ? <ImportFile sensor={sensor} /> : null}
          </Stack>
        </Tabs.Panel>
        <Tabs.Panel value="profiles">
          <Profiles sensor={sensor} canEdit={changeable} lastRaw={lastRaw} />
        </Tabs.Panel>
        <Tabs.Panel value="token">
          <SensorTokens sensor={sensor} canEdit={changeable} />
        </Tabs.Panel>
        <Tabs.Panel value="errors">
          <Stack gap="lg">
            {home ? (
              <SetAsideBatches
                projectId={project.id}
                sensorId={id}
                canEdit={canEdit}
                canDiscard={canEdit && project.role === "owner"}
              />
            ) : null}
            <SensorErrors sensorId={id} />
          </Stack>
        </Tabs.Panel>
      </Tabs>
    </>
  );
}
