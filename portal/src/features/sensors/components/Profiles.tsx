import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import type { ConversionProfile } from "@/api/generated/models/conversionProfile";
import type { NewConversionProfile } from "@/api/generated/models/newConversionProfile";
import type { Sensor } from "@/api/generated/models/sensor";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { draftOf, emptyDraft, type ProfileDraft } from "../profile-draft";
import { profilesQuery, useProfileChanges } from "../queries";
import { ProfileEditor } from "./ProfileEditor";
import { ProfilesTable } from "./ProfilesTable";

type Props = { sensor: Sensor; canEdit: boolean; lastRaw: (signal: string) => number | null };

/** What is being typed: a new draft, or a stored one by its id. */
type Editing = { key: number; id: string | null; draft: ProfileDraft };

/** A sensor's conversion profiles: the list, and the editor over it. */
export function Profiles({ sensor, canEdit, lastRaw }: Props) {
  const { t } = useLingui();
  const profiles = useQuery(profilesQuery(sensor.id));
  const changes = useProfileChanges(sensor.id);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [first] = sensor.signals;

  const { reset: resetCreate } = changes.create;
  const { reset: resetChange } = changes.change;
  const edit = useCallback(
    (id: string | null, draft: ProfileDraft) => {
      resetCreate();
      resetChange();
      setEditing((old) => ({ key: (old?.key ?? 0) + 1, id, draft }));
    },
    [resetCreate, resetChange],
  );
  const editStored = useCallback(
    (profile: ConversionProfile) =>
      edit(profile.state === "draft" ? profile.id : null, draftOf(profile)),
    [edit],
  );

  function save(profile: NewConversionProfile): void {
    const onSuccess = () => {
      setEditing(null);
      announce(t`The draft is saved. Publish it when it is right.`);
    };
    const id = editing?.id;
    if (id) changes.change.mutate({ id, ...profile }, { onSuccess });
    else changes.create.mutate(profile, { onSuccess });
  }

  return (
    <Stack gap="lg">
      {editing ? (
        <Panel title={editing.id ? t`Change the draft` : t`New profile`}>
          <ProfileEditor
            key={editing.key}
            initial={editing.draft}
            signals={sensor.signals}
            lastRaw={lastRaw}
            fixedSignal={editing.id !== null}
            busy={changes.create.isPending || changes.change.isPending}
            error={changes.create.error ?? changes.change.error}
            onSave={save}
            onClose={() => setEditing(null)}
          />
        </Panel>
      ) : null}
      {profiles.isError ? (
        <ErrorNotice
          title={t`The profiles could not be loaded`}
          error={profiles.error}
          onRetry={() => void profiles.refetch()}
        />
      ) : (
        <Panel
          flush
          title={t`Conversion profiles`}
          actions={
            canEdit && first ? (
              <Button
                size="xs"
                leftSection={<IconPlus size={15} aria-hidden />}
                onClick={() => edit(null, emptyDraft(first.name, first.display_unit))}
              >
                <Trans>New profile</Trans>
              </Button>
            ) : null
          }
        >
          <ProfilesTable profiles={profiles.data} canEdit={canEdit} onEdit={editStored} />
        </Panel>
      )}
    </Stack>
  );
}
