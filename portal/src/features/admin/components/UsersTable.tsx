import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Badge, Group, Menu } from "@mantine/core";
import {
  IconDots,
  IconMailForward,
  IconShieldMinus,
  IconShieldPlus,
  IconUserCheck,
  IconUserOff,
} from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import type { User } from "@/api/generated/models/user";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { announce, announceFailure } from "@/ui/notices";
import { TimeText } from "@/ui/TimeText";
import { offerUndo } from "@/ui/undo";
import { useSendReset, useSetActive, useSetAdmin } from "../queries";
import classes from "./UsersTable.module.css";

type Props = {
  users: User[] | undefined;
  empty: ReactNode;
  /** The administrator who looks. */
  userId: string;
  onMore?: () => void;
  loadingMore?: boolean;
};

export function UsersTable({ users, empty, userId, onMore, loadingMore }: Props) {
  const { t } = useLingui();
  const columns = useMemo<DataColumn<User>[]>(
    () => [
      {
        id: "person",
        header: t`Person`,
        cell: ({ row: { original } }) => (
          <span className={classes.person}>
            <span>
              {original.name}{" "}
              {original.id === userId ? (
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
        id: "state",
        header: t`State`,
        cell: ({ row: { original } }) => (
          <Group gap={6} component="span">
            {original.status === "active" ? (
              <Trans>Active</Trans>
            ) : (
              <Badge size="sm" variant="default">
                <Trans>Deactivated</Trans>
              </Badge>
            )}
            {original.is_admin ? (
              <Badge size="sm" variant="light">
                <Trans>Administrator</Trans>
              </Badge>
            ) : null}
          </Group>
        ),
      },
      {
        id: "created",
        header: t`Registered`,
        cell: ({ row }) => <TimeText at={row.original.created_at} as="date" />,
      },
      {
        id: "seen",
        header: t`Last sign-in`,
        cell: ({ row }) => <TimeText at={row.original.last_login_at} empty={t`never`} />,
      },
      {
        id: "actions",
        header: () => (
          <span className="rb-visually-hidden">
            <Trans>Actions</Trans>
          </span>
        ),
        meta: { tight: true },
        cell: ({ row }) => <UserActions user={row.original} own={row.original.id === userId} />,
      },
    ],
    [t, userId],
  );
  return (
    <DataTable
      label={t`Users`}
      columns={columns}
      rows={users}
      rowId={(user) => user.id}
      empty={empty}
      onMore={onMore}
      loadingMore={loadingMore}
    />
  );
}

function UserActions({ user, own }: { user: User; own: boolean }) {
  const { t } = useLingui();
  const setActive = useSetActive();
  const setAdmin = useSetAdmin();
  const sendReset = useSendReset();
  const { name, id: userId } = user;
  const active = user.status === "active";

  function switchActive() {
    setActive.mutate(
      { userId, active: !active },
      {
        onSuccess: () =>
          offerUndo(active ? t`${name} is deactivated` : t`${name} is active again`, () =>
            setActive.mutate({ userId, active }),
          ),
        onError: (error) => announceFailure(t`${name} was not changed`, error),
      },
    );
  }
  function switchAdmin() {
    setAdmin.mutate(
      { userId, admin: !user.is_admin },
      {
        onSuccess: () =>
          offerUndo(
            user.is_admin
              ? t`${name} is no longer an administrator`
              : t`${name} is an administrator now`,
            () => setAdmin.mutate({ userId, admin: user.is_admin }),
          ),
        onError: (error) => announceFailure(t`${name} was not changed`, error),
      },
    );
  }

  return (
    <Menu width={250}>
      <Menu.Target>
        <ActionIcon aria-label={t`Actions for ${name}`}>
          <IconDots size={17} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconMailForward size={16} aria-hidden />}
          onClick={() =>
            sendReset.mutate(userId, {
              onSuccess: () => announce(t`A reset link is on its way to ${name}`),
              onError: (error) => announceFailure(t`No link was sent`, error),
            })
          }
        >
          <Trans>Send a password reset link</Trans>
        </Menu.Item>
        <Menu.Item
          leftSection={
            user.is_admin ? (
              <IconShieldMinus size={16} aria-hidden />
            ) : (
              <IconShieldPlus size={16} aria-hidden />
            )
          }
          onClick={switchAdmin}
        >
          {user.is_admin ? (
            <Trans>Take administration away</Trans>
          ) : (
            <Trans>Make administrator</Trans>
          )}
        </Menu.Item>
        {own ? null : (
          <Menu.Item
            color={active ? "red" : undefined}
            leftSection={
              active ? (
                <IconUserOff size={16} aria-hidden />
              ) : (
                <IconUserCheck size={16} aria-hidden />
              )
            }
            onClick={switchActive}
          >
            {active ? <Trans>Deactivate</Trans> : <Trans>Activate</Trans>}
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
