import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group } from "@mantine/core";
import { IconArchive } from "@tabler/icons-react";
import type { Project } from "@/api/generated/models/project";
import { announce, announceFailure } from "@/ui/notices";
import { TimeText } from "@/ui/TimeText";
import { useRestoreProject } from "../queries";

/** Says that nothing can be changed here, and takes an owner out of it in one click. */
export function ArchivedBanner({ project }: { project: Project }) {
  const { t } = useLingui();
  const restore = useRestoreProject();
  return (
    <Alert
      color="yellow"
      mb="lg"
      icon={<IconArchive size={18} aria-hidden />}
      title={t`This project is archived`}
    >
      <Group justify="space-between" gap="sm">
        <span>
          <Trans>
            Since <TimeText at={project.archived_at} as="date" />. Everything in it can be read,
            nothing can be changed.
          </Trans>
        </span>
        {project.role === "owner" ? (
          <Button
            size="xs"
            variant="default"
            loading={restore.isPending}
            onClick={() =>
              restore.mutate(project.id, {
                onSuccess: () => announce(t`The project is restored`),
                onError: (error) => announceFailure(t`The project was not restored`, error),
              })
            }
          >
            <Trans>Restore the project</Trans>
          </Button>
        ) : null}
      </Group>
    </Alert>
  );
}
