import { Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useMemo } from "react";
import type { Token } from "@/api/generated/models/token";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { announce, announceFailure } from "@/ui/notices";
import { roleNames } from "@/ui/roles";
import { TimeText } from "@/ui/TimeText";
import { useRevokeToken } from "../queries";

type Props = {
  tokens: Token[] | undefined;
  empty: ReactNode;
  /** Whose each token is; left out where all are one's own. */
  withPerson?: boolean;
  /** The project of each token, where they come from several. */
  projectName?: (projectId: string) => string;
  onMore?: () => void;
  loadingMore?: boolean;
};

export function TokensTable({
  tokens,
  empty,
  withPerson = false,
  projectName,
  onMore,
  loadingMore,
}: Props) {
  const { t } = useLingui();
  const revoke = useRevokeToken();

  const columns = useMemo<DataColumn<Token>[]>(() => {
    const all: (DataColumn<Token> | null)[] = [
      { id: "name", header: t`What for`, cell: ({ row }) => row.original.name },
      {
        id: "key",
        header: t`Begins with`,
        cell: ({ row }) => <span className="rb-mono">{`rb_pat_${row.original.key_id}_…`}</span>,
      },
      projectName
        ? {
            id: "project",
            header: t`Project`,
            cell: ({ row }) => projectName(row.original.project_id),
          }
        : null,
      withPerson
        ? { id: "person", header: t`Person`, cell: ({ row }) => row.original.user_name }
        : null,
      { id: "role", header: t`Role`, cell: ({ row }) => t(roleNames[row.original.role]) },
      {
        id: "used",
        header: t`Last used`,
        cell: ({ row }) => <TimeText at={row.original.last_used_at} empty={t`never`} />,
      },
      {
        id: "expires",
        header: t`Expires`,
        cell: ({ row }) => <TokenEnd token={row.original} />,
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
          if (original.revoked_at) return null;
          const { name } = original;
          return (
            <ConfirmInPlace
              action={t`Revoke`}
              question={
                <Trans>Revoke “{name}”? Programs that use it stop working within seconds.</Trans>
              }
              onConfirm={() =>
                revoke.mutate(original.id, {
                  onSuccess: () => announce(t`The token “${name}” is revoked`),
                  onError: (error) => announceFailure(t`The token was not revoked`, error),
                })
              }
              trigger={(open) => (
                <Button
                  size="xs"
                  variant="subtle"
                  color="gray"
                  aria-label={t`Revoke ${name}`}
                  onClick={open}
                >
                  <Trans>Revoke</Trans>
                </Button>
              )}
            />
          );
        },
      },
    ];
    return all.filter((column) => column !== null);
  }, [t, revoke, withPerson, projectName]);

  return (
    <DataTable
      label={t`API tokens`}
      columns={columns}
      rows={tokens}
      rowId={(token) => token.id}
      empty={empty}
      onMore={onMore}
      loadingMore={loadingMore}
    />
  );
}

function TokenEnd({ token }: { token: Token }) {
  if (token.revoked_at) {
    return (
      <Badge size="sm" variant="default">
        <Trans>Revoked</Trans>
      </Badge>
    );
  }
  if (!token.expires_at) return <Trans>does not expire</Trans>;
  if (new Date(token.expires_at).getTime() < Date.now()) {
    return (
      <Badge size="sm" variant="default">
        <Trans>Expired</Trans>
      </Badge>
    );
  }
  return <TimeText at={token.expires_at} as="date" />;
}
