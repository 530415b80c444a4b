import { Trans } from "@lingui/react/macro";
import { Menu, Text } from "@mantine/core";
import { IconKeyboard, IconLogout, IconUserCircle } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { UserButton } from "@/app/shell/UserButton";
import { useSignOut } from "@/app/sign-out";
import { useUser } from "@/app/user";
import { KeyHint } from "@/ui/KeyHint";

export default function UserMenu({ onHelp }: { onHelp: () => void }) {
  const user = useUser();
  const signOut = useSignOut(useQueryClient());
  return (
    <Menu width={240} defaultOpened>
      <Menu.Target>
        <UserButton user={user} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" fw={500} c="var(--mantine-color-text)" truncate>
            {user.name}
          </Text>
          <Text size="xs" truncate>
            {user.email}
          </Text>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconUserCircle size={16} aria-hidden />}
          renderRoot={(props) => <Link to="/me" {...props} />}
        >
          <Trans>Profile and sessions</Trans>
        </Menu.Item>
        <Menu.Item
          leftSection={<IconKeyboard size={16} aria-hidden />}
          rightSection={<KeyHint id="help" />}
          onClick={onHelp}
        >
          <Trans>Keyboard shortcuts</Trans>
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={signOut}>
          <Trans>Sign out</Trans>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
