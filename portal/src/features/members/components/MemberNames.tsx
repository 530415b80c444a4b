import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Avatar, Group, Skeleton, Stack, Text } from "@mantine/core";
import type { Member } from "@/api/generated/models/member";
import { roleNames } from "@/ui/roles";

type Props = { members: Member[] | undefined; userId: string };

const shown = 6;

/** Who works here, in short. */
export function MemberNames({ members, userId }: Props) {
  const { t } = useLingui();
  if (members === undefined) return <Skeleton height="4rem" />;
  const more = members.length - shown;
  return (
    <Stack gap="xs">
      {members.slice(0, shown).map((member) => (
        <Group key={member.user_id} gap="sm" wrap="nowrap">
          <Avatar size={24} name={member.name} color="petrol" alt="" aria-hidden />
          <Text size="sm" truncate flex={1}>
            {member.name} {member.user_id === userId ? <Trans>(you)</Trans> : null}
          </Text>
          <Text size="xs" c="dimmed">
            {t(roleNames[member.role])}
          </Text>
        </Group>
      ))}
      {more > 0 ? (
        <Text size="xs" c="dimmed">
          <Plural value={more} one="and # more" other="and # more" />
        </Text>
      ) : null}
    </Stack>
  );
}
