import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconActivity, IconGauge, IconPlus, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import * as v from "valibot";
import { addTexts } from "@/app/i18n";
import { projectQuery } from "@/features/projects/queries";
import { RegisterSensorDrawer } from "@/features/sensors/components/RegisterSensorDrawer";
import { SensorSnippets } from "@/features/sensors/components/SensorSnippets";
import { type LastValue, SensorsTable } from "@/features/sensors/components/SensorsTable";
import { sensorsQuery } from "@/features/sensors/queries";
import { sensorSearch } from "@/features/sensors/search";
import { latestQuery } from "@/features/telemetry/queries";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/p/$project/sensors/")({
  validateSearch: v.object({
    ...sensorSearch,
    register: v.optional(v.fallback(v.optional(v.boolean()), undefined)),
  }),
  loader: () => addTexts("telemetry"),
  component: SensorsPage,
});

function SensorsPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const { register, ...search } = Route.useSearch();
  const navigate = Route.useNavigate();
  const sensors = useInfiniteQuery(sensorsQuery(project.id, search));
  const canEdit = project.role !== "viewer" && project.archived_at === null;
  const found = sensors.data?.pages.flatMap(({ items }) => items);
  const ids = useMemo(() => (found ?? []).slice(0, 100).map(({ id }) => id), [found]);
  const latest = useQuery(latestQuery(ids));
  const lastValues = useMemo(() => {
    const units = new Map(
      (found ?? []).flatMap(({ id, signals }) =>
        signals.map(
          ({ name, display_unit, input_unit }) =>
            [`${id}/${name}`, [display_unit, input_unit] as const] as const,
        ),
      ),
    );
    const values = (latest.data ?? []).map(({ sensor_id, signal, physical, raw }) => {
      const [display, input] = units.get(`${sensor_id}/${signal}`) ?? ["", ""];
      const value: LastValue =
        physical === null
          ? { signal, value: raw, unit: input }
          : { signal, value: physical, unit: display || input };
      return { sensor_id, value };
    });
    return new Map(
      [...Map.groupBy(values, ({ sensor_id }) => sensor_id)].map(([id, members]) => [
        id,
        members.map(({ value }) => value),
      ]),
    );
  }, [latest.data, found]);
  const filtered = Boolean(search.q || search.health);
  const close = () => void navigate({ search: (old) => ({ ...old, register: undefined }) });
  const registerButton = canEdit ? (
    <Button
      leftSection={<IconPlus size={16} aria-hidden />}
      renderRoot={(props) => (
        <Link from={Route.fullPath} search={(old) => ({ ...old, register: true })} {...props} />
      )}
    >
      <Trans>Register a sensor</Trans>
    </Button>
  ) : null;

  const empty = filtered ? (
    <EmptyState
      icon={<IconSearch size={24} />}
      title={t`No sensor matches`}
      titleOrder={2}
      actions={
        <Button
          variant="default"
          renderRoot={(props) => <Link from={Route.fullPath} search={{}} {...props} />}
        >
          <Trans>Show all sensors</Trans>
        </Button>
      }
    >
      <Trans>There is none with this name and health.</Trans>
    </EmptyState>
  ) : (
    <EmptyState
      icon={<IconGauge size={24} />}
      title={t`Register the first sensor`}
      titleOrder={2}
      actions={registerButton}
      more={<SensorSnippets signal={undefined} />}
    >
      <Trans>
        A sensor is anything that sends numbers with a time: a board, a bench PC, a gateway. It gets
        a token of its own, and every reading it sends is kept, raw.
      </Trans>
    </EmptyState>
  );

  return (
    <>
      <PageHeader
        title={t`Sensors`}
        actions={
          <>
            <Button
              variant="default"
              leftSection={<IconActivity size={16} aria-hidden />}
              renderRoot={(props) => (
                <Link to="/p/$project/monitor" params={{ project: slug }} {...props} />
              )}
            >
              <Trans>Rig monitor</Trans>
            </Button>
            {registerButton}
          </>
        }
      />
      {sensors.isError && !found ? (
        <ErrorNotice
          title={t`The sensors could not be loaded`}
          error={sensors.error}
          onRetry={() => void sensors.refetch()}
        />
      ) : (
        <Panel flush>
          <SensorsTable
            projectId={project.id}
            sensors={found}
            lastValues={lastValues}
            search={search}
            onSearch={(change) =>
              void navigate({ search: (old) => ({ ...old, ...change }), replace: true })
            }
            link={(sensor, className) => (
              <Link
                to="/p/$project/sensors/$sensor"
                params={{ project: slug, sensor: sensor.id }}
                className={className}
              >
                {sensor.name}
              </Link>
            )}
            empty={empty}
            refreshing={sensors.isPlaceholderData}
            onMore={sensors.hasNextPage ? () => void sensors.fetchNextPage() : undefined}
            loadingMore={sensors.isFetchingNextPage}
          />
        </Panel>
      )}
      {register && canEdit ? (
        <RegisterSensorDrawer
          projectId={project.id}
          onClose={close}
          onDone={({ id }) =>
            void navigate({
              to: "/p/$project/sensors/$sensor",
              params: { project: slug, sensor: id },
            })
          }
        />
      ) : null}
    </>
  );
}
