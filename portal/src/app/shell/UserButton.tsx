import { useLingui } from "@lingui/react/macro";
import { ActionIcon, Avatar, type ElementProps } from "@mantine/core";
import type { SignedIn } from "@/api/session";

type Props = { user: SignedIn } & ElementProps<"button", "color">;

export function UserButton({ user, ...rest }: Props) {
  const { t } = useLingui();
  return (
    <ActionIcon size="lg" aria-haspopup="menu" {...rest}>
      <Avatar size={26} color="petrol" variant="filled" name={user.name} alt="" aria-hidden />
      <span className="rb-visually-hidden">{t`Your account`}</span>
    </ActionIcon>
  );
}
