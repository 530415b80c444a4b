import { useLingui } from "@lingui/react/macro";
import { ActionIcon, Avatar, type ElementProps } from "@mantine/core";
import type { SignedIn } from "@/api/session";

type Props = { user: SignedIn } & ElementProps<"button", "color">;

export function UserButton({ user, ...rest }: Props) {
  const { t } = useLingui();
  return (
    <ActionIcon size="lg" aria-label={t`Your account`} aria-haspopup="menu" {...rest}>
      <Avatar size={26} color="petrol" variant="filled" name={user.name} alt="" />
    </ActionIcon>
  );
}
