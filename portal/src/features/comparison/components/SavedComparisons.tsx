import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Group, Stack, Text } from "@mantine/core";
import { IconScale, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Comparison } from "@/api/generated/models/comparison";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { MarkdownView } from "@/ui/MarkdownView";
import { announceFailure } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { TimeText } from "@/ui/TimeText";
import { savedQuery, useSavedComparisons } from "../queries";

type Props = {
  projectId: string;
  canEdit: boolean;
  /** A link that opens a kept screen. */
  open: (comparison: Comparison) => ReactNode;
};

/** What people of the project have kept. */
export function SavedComparisons({ projectId, canEdit, open }: Props) {
  const { t } = useLingui();
  const saved = useQuery(savedQuery(projectId));
  const { remove } = useSavedComparisons(projectId);
  if (saved.isError) {
    return (
      <ErrorNotice
        title={t`The saved comparisons could not be loaded`}
        error={saved.error}
        onRetry={() => void saved.refetch()}
      />
    );
  }
  return (
    <Panel title={t`Saved comparisons`}>
      {saved.data?.length === 0 ? (
        <EmptyState icon={<IconScale size={22} />} title={t`Nothing is saved yet`}>
          <Trans>Select runs in a table of runs, compare them, and save what you see.</Trans>
        </EmptyState>
      ) : (
        <Stack gap="md" component="ul" p={0} m={0} style={{ listStyle: "none" }}>
          {saved.data?.map((comparison) => {
            const { id, title, notes, updated_at: at } = comparison;
            return (
              <li key={id}>
                <Group gap="sm" justify="space-between" wrap="nowrap">
                  <div>
                    {open(comparison)}{" "}
                    <Text span size="xs" c="dimmed">
                      <TimeText at={at} />
                    </Text>
                  </div>
                  {canEdit ? (
                    <ConfirmInPlace
                      question={<Trans>Remove “{title}” for everybody?</Trans>}
                      action={t`Remove`}
                      busy={remove.isPending}
                      onConfirm={() =>
                        remove.mutate(comparison, {
                          onError: (error) => announceFailure(t`“${title}” was not removed`, error),
                        })
                      }
                      trigger={(ask) => (
                        <ActionIcon
                          aria-label={t`Remove “${title}”`}
                          variant="subtle"
                          color="gray"
                          onClick={ask}
                        >
                          <IconTrash size={16} aria-hidden />
                        </ActionIcon>
                      )}
                    />
                  ) : null}
                </Group>
                {notes ? <MarkdownView text={notes} /> : null}
              </li>
            );
          })}
        </Stack>
      )}
    </Panel>
  );
}
