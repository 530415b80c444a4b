import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconGauge } from "@tabler/icons-react";
import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { createFileRoute, Link } from "@tanstack/react-router";
import { addTexts } from "@/app/i18n";
import { projectQuery } from "@/features/projects/queries";
import { HealthBadge } from "@/features/sensors/components/HealthBadge";
import { sensorsQuery } from "@/features/sensors/queries";
import { Monitor } from "@/features/telemetry/components/Monitor";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PageHeader } from "@/ui/PageHeader";
import { TableSkeleton } from "@/ui/TableSkeleton";

export const Route = createFileRoute("/_app/p/$project/monitor")({
  loader: () => addTexts("telemetry"),
  component: MonitorPage,
});

function MonitorPage() {
  const { t } = useLingui();
  const { project: slug } = Route.useParams();
  const { data: project } = useSuspenseQuery(projectQuery(slug));
  const sensors = useInfiniteQuery(sensorsQuery(project.id, {}));
  const found = sensors.data?.pages.flatMap(({ items }) => items);
  return (
    <>
      <PageHeader title={t`Rig monitor`} />
      {sensors.isError && !found ? (
        <ErrorNotice
          title={t`The sensors could not be loaded`}
          error={sensors.error}
          onRetry={() => void sensors.refetch()}
        />
      ) : found === undefined ? (
        <TableSkeleton columns={3} />
      ) : found.length === 0 ? (
        <EmptyState
          icon={<IconGauge size={24} />}
          title={t`No sensors yet`}
          titleOrder={2}
          actions={
            <Button
              variant="default"
              renderRoot={(props) => (
                <Link to="/p/$project/sensors" params={{ project: slug }} {...props} />
              )}
            >
              <Trans>To the sensors</Trans>
            </Button>
          }
        >
          <Trans>
            Every signal gets a tile here: its value, its curve, and whether it still comes.
          </Trans>
        </EmptyState>
      ) : (
        <Monitor
          sensors={found}
          link={(sensor, children) => (
            <Link to="/p/$project/sensors/$sensor" params={{ project: slug, sensor: sensor.id }}>
              {children}
            </Link>
          )}
          health={(sensor) => <HealthBadge health={sensor.health} />}
        />
      )}
    </>
  );
}
