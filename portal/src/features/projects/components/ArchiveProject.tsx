import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Text } from "@mantine/core";
import { IconArchive } from "@tabler/icons-react";
import type { Project } from "@/api/generated/models/project";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { announceFailure } from "@/ui/notices";
import { offerUndo } from "@/ui/undo";
import { useArchiveProject, useRestoreProject } from "../queries";

export function ArchiveProject({ project }: { project: Project }) {
  const { t } = useLingui();
  const archive = useArchiveProject();
  const restore = useRestoreProject();
  return (
    <Group justify="space-between" align="flex-start" gap="lg">
      <Text size="sm" maw={520}>
        <Trans>
          An archived project leaves the lists and takes no more changes or data. Nothing in it is
          deleted, and an owner can restore it.
        </Trans>
      </Text>
      <ConfirmInPlace
        action={t`Archive the project`}
        question={<Trans>Programs that record into it are refused from now on.</Trans>}
        typed={{
          label: (
            <Trans>
              Type <code>{project.slug}</code> to go on
            </Trans>
          ),
          value: project.slug,
        }}
        onConfirm={() =>
          archive.mutate(project.id, {
            onSuccess: () =>
              offerUndo(t`The project is archived`, () =>
                restore.mutate(project.id, {
                  onError: (error) => announceFailure(t`The project was not restored`, error),
                }),
              ),
            onError: (error) => announceFailure(t`The project was not archived`, error),
          })
        }
        trigger={(open) => (
          <Button
            color="red"
            variant="outline"
            leftSection={<IconArchive size={16} aria-hidden />}
            loading={archive.isPending}
            onClick={open}
          >
            <Trans>Archive the project</Trans>
          </Button>
        )}
      />
    </Group>
  );
}
