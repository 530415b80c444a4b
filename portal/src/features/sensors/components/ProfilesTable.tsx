import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, TextInput } from "@mantine/core";
import { IconMathFunction } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { ConversionProfile } from "@/api/generated/models/conversionProfile";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { EmptyState } from "@/ui/EmptyState";
import { announce, announceFailure } from "@/ui/notices";
import { TimeText } from "@/ui/TimeText";
import { formulaOf } from "../profile-draft";
import { useProfileChanges } from "../queries";
import { ProfileStateBadge } from "./ProfileStateBadge";

type Props = {
  profiles: ConversionProfile[] | undefined;
  canEdit: boolean;
  /** Opens the editor with a draft, or with a copy of what was published; always the same function. */
  onEdit: (profile: ConversionProfile) => void;
};

/** Every version of every signal's profile, and from when to when it holds. */
export function ProfilesTable({ profiles, canEdit, onEdit }: Props) {
  const { t } = useLingui();
  // Kept from one answer to the next, or what somebody has opened in a cell would close again.
  const columns = useMemo(() => {
    const kinds = { linear: t`Linear`, polynomial: t`Polynomial`, lookup_table: t`Lookup table` };
    const columns: DataColumn<ConversionProfile>[] = [
      {
        id: "signal",
        header: t`Signal`,
        cell: ({ row: { original } }) => (
          <span className="rb-mono">{`${original.signal} v${original.version}`}</span>
        ),
      },
      {
        id: "state",
        header: t`State`,
        cell: ({ row }) => <ProfileStateBadge state={row.original.state} />,
      },
      { id: "kind", header: t`Kind`, cell: ({ row }) => kinds[row.original.kind] },
      {
        id: "formula",
        header: t`Conversion`,
        cell: ({ row: { original } }) => (
          <span>
            {formulaOf(original)}
            {original.unit ? `, ${original.unit}` : ""}
          </span>
        ),
      },
      {
        id: "from",
        header: t`Holds from`,
        cell: ({ row }) => <TimeText at={row.original.valid_from} as="dateTime" />,
      },
      {
        id: "to",
        header: t`Holds until`,
        cell: ({ row: { original } }) => (
          <TimeText
            at={original.valid_to}
            as="dateTime"
            empty={original.state === "active" ? t`further notice` : "—"}
          />
        ),
      },
    ];
    if (canEdit) {
      columns.push({
        id: "actions",
        header: () => <span className="rb-visually-hidden">{t`What can be done`}</span>,
        meta: { tight: true },
        cell: ({ row }) => <Actions profile={row.original} onEdit={onEdit} />,
      });
    }
    return columns;
  }, [t, canEdit, onEdit]);
  return (
    <DataTable
      label={t`Conversion profiles`}
      columns={columns}
      rows={profiles}
      rowId={({ id }) => id}
      empty={
        <EmptyState icon={<IconMathFunction size={22} />} title={t`No conversion profile yet`}>
          <Trans>
            Readings are kept as they were sent. A profile says how raw values become physical ones;
            it is applied when they are read, so a better one later changes what is shown, never
            what is stored.
          </Trans>
        </EmptyState>
      }
    />
  );
}

type ActionsProps = Pick<Props, "onEdit"> & { profile: ConversionProfile };

function Actions({ profile, onEdit }: ActionsProps) {
  const { t } = useLingui();
  const changes = useProfileChanges(profile.sensor_id);
  const [from, setFrom] = useState("");
  const { signal, version, state } = profile;
  const name = `${signal} v${version}`;
  const failed = (error: unknown) => announceFailure(t`“${name}” was not changed`, error);
  const small = { size: "compact-xs", variant: "subtle", color: "gray" } as const;
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      <Button
        {...small}
        aria-label={state === "draft" ? t`Edit ${name}` : t`New version from ${name}`}
        onClick={() => onEdit(profile)}
      >
        {state === "draft" ? <Trans>Edit</Trans> : <Trans>New version</Trans>}
      </Button>
      {state === "draft" ? (
        <>
          <ConfirmInPlace
            action={t`Publish`}
            question={
              <>
                <Trans>Publish {name}? The one before ends where this one begins.</Trans>
                <TextInput
                  mt={6}
                  size="xs"
                  type="datetime-local"
                  label={t`Holds from (empty: now)`}
                  value={from}
                  onChange={(event) => setFrom(event.currentTarget.value)}
                />
              </>
            }
            busy={changes.publish.isPending}
            onConfirm={() =>
              changes.publish.mutate(
                { id: profile.id, validFrom: from ? new Date(from).toISOString() : null },
                { onSuccess: () => announce(t`“${name}” is published`), onError: failed },
              )
            }
            trigger={(open) => (
              <Button {...small} aria-label={t`Publish ${name}`} onClick={open}>
                <Trans>Publish</Trans>
              </Button>
            )}
          />
          <ConfirmInPlace
            action={t`Delete`}
            question={<Trans>Delete the draft {name}?</Trans>}
            onConfirm={() => changes.remove.mutate(profile.id, { onError: failed })}
            trigger={(open) => (
              <Button {...small} aria-label={t`Delete ${name}`} onClick={open}>
                <Trans>Delete</Trans>
              </Button>
            )}
          />
        </>
      ) : null}
      {state === "active" || state === "scheduled" ? (
        <ConfirmInPlace
          action={t`Retire`}
          question={<Trans>Retire {name}? From now on nothing is converted by it.</Trans>}
          onConfirm={() =>
            changes.retire.mutate(profile.id, {
              onSuccess: () => announce(t`“${name}” is retired`),
              onError: failed,
            })
          }
          trigger={(open) => (
            <Button {...small} aria-label={t`Retire ${name}`} onClick={open}>
              <Trans>Retire</Trans>
            </Button>
          )}
        />
      ) : null}
    </Group>
  );
}
