import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Badge, Button, Group, Tooltip } from "@mantine/core";
import { IconDoorExit, IconUserMinus } from "@tabler/icons-react";
import { useMemo } from "react";
import type { Member } from "@/api/generated/models/member";
import type { Project } from "@/api/generated/models/project";
import type { Role } from "@/api/generated/models/role";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { announceFailure } from "@/ui/notices";
import { roleNames } from "@/ui/roles";
import { TimeText } from "@/ui/TimeText";
import { offerUndo } from "@/ui/undo";
import { useRemoveMember, useSetMember } from "../queries";
import { RoleSelect } from "./AddMember";
import classes from "./Members.module.css";

type Props = {
  project: Project;
  members: Member[] | undefined;
  /** The person who looks. */
  userId: string;
  onLeft: () => void;
};

export function MembersTable({ project, members, userId, onLeft }: Props) {
  const { t } = useLingui();
  const set = useSetMember(project.id);
  const remove = useRemoveMember(project.id);
  const manages = project.role === "owner" && project.archived_at === null;
  const owners = members?.filter(({ role }) => role === "owner").length ?? 0;

  const columns = useMemo<DataColumn<Member>[]>(() => {
    const changeRole = (member: Member, role: Role) => {
      const { name, role: before } = member;
      set.mutate(
        { userId: member.user_id, role },
        {
          onSuccess: () => {
            if (member.user_id === userId) return;
            const roleName = t(roleNames[role]);
            offerUndo(t`${name}: ${roleName}`, () =>
              set.mutate({ userId: member.user_id, role: before }),
            );
          },
          onError: (error) => announceFailure(t`The role was not changed`, error),
        },
      );
    };
    const removeWithUndo = (member: Member) => {
      const { name } = member;
      remove.mutate(member.user_id, {
        onSuccess: () =>
          offerUndo(t`${name} was removed`, () =>
            set.mutate(
              { userId: member.user_id, role: member.role },
              { onError: (error) => announceFailure(t`${name} was not put back`, error) },
            ),
          ),
        onError: (error) => announceFailure(t`${name} was not removed`, error),
      });
    };
    return [
      {
        id: "person",
        header: t`Person`,
        cell: ({ row: { original } }) => (
          <span className={classes.person}>
            <span className={classes.name}>
              {original.name}{" "}
              {original.user_id === userId ? (
                <Badge size="xs" variant="light">
                  <Trans>you</Trans>
                </Badge>
              ) : null}
            </span>
            <span className={classes.email}>{original.email}</span>
          </span>
        ),
      },
      {
        id: "role",
        header: t`Role`,
        cell: ({ row: { original } }) => {
          const lastOwner = original.role === "owner" && owners === 1;
          const { name } = original;
          if (!manages) return t(roleNames[original.role]);
          if (lastOwner) {
            return (
              <Tooltip
                label={t`The last owner cannot step down; make somebody else an owner first`}
              >
                <span className={classes.fixed}>{t(roleNames.owner)}</span>
              </Tooltip>
            );
          }
          return (
            <RoleSelect
              size="xs"
              aria-label={t`Role of ${name}`}
              value={original.role}
              onChange={(role) => changeRole(original, role)}
            />
          );
        },
      },
      {
        id: "added",
        header: t`Member since`,
        cell: ({ row: { original } }) => <TimeText at={original.added_at} as="date" />,
      },
      {
        id: "actions",
        header: () => (
          <span className="rb-visually-hidden">
            <Trans>Actions</Trans>
          </span>
        ),
        meta: { tight: true },
        cell: ({ row: { original } }) => {
          const own = original.user_id === userId;
          const lastOwner = original.role === "owner" && owners === 1;
          if (lastOwner || (!manages && !own)) return null;
          if (!own) {
            const { name } = original;
            return (
              <Tooltip label={t`Remove`}>
                <ActionIcon aria-label={t`Remove ${name}`} onClick={() => removeWithUndo(original)}>
                  <IconUserMinus size={17} aria-hidden />
                </ActionIcon>
              </Tooltip>
            );
          }
          return (
            <ConfirmInPlace
              action={t`Leave`}
              question={<Trans>Leave the project? Only an owner can let you in again.</Trans>}
              onConfirm={() =>
                remove.mutate(userId, {
                  onSuccess: onLeft,
                  onError: (error) => announceFailure(t`You are still a member`, error),
                })
              }
              trigger={(open) => (
                <Button
                  size="xs"
                  variant="subtle"
                  color="gray"
                  leftSection={<IconDoorExit size={16} aria-hidden />}
                  onClick={open}
                >
                  <Trans>Leave</Trans>
                </Button>
              )}
            />
          );
        },
      },
    ];
  }, [t, set, remove, manages, owners, userId, onLeft]);

  return (
    <DataTable
      label={t`Members`}
      columns={columns}
      rows={members}
      rowId={(member) => member.user_id}
      empty={<Group p="md">{t`Nobody is a member of this project.`}</Group>}
    />
  );
}
