import { Trans, useLingui } from "@lingui/react/macro";
import { Group, SimpleGrid, Stack, Switch, Text, Title } from "@mantine/core";
import { KeyHint } from "@/ui/KeyHint";
import { setPreferences, usePreferences } from "@/ui/preferences";
import {
  type ShortcutGroup,
  type ShortcutId,
  shortcutCatalogue,
  shortcutGroups,
} from "@/ui/shortcut-catalogue";

/** Every shortcut, by where it works. */
export function ShortcutList({ titleOrder = 3 }: { titleOrder?: 2 | 3 }) {
  const { t } = useLingui();
  const { shortcuts } = usePreferences();
  const ids = Object.keys(shortcutCatalogue) as ShortcutId[];
  const groups = (Object.keys(shortcutGroups) as ShortcutGroup[])
    .map((group) => ({ group, ids: ids.filter((id) => shortcutCatalogue[id].group === group) }))
    .filter((entry) => entry.ids.length > 0);
  return (
    <Stack gap="lg">
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="xl">
        {groups.map(({ group, ids: members }) => (
          <section key={group}>
            <Title order={titleOrder} size="h3" mb="xs">
              {t(shortcutGroups[group])}
            </Title>
            <Stack gap={6}>
              {members.map((id) => (
                <Group key={id} justify="space-between" wrap="nowrap" gap="sm">
                  <Text size="sm">{t(shortcutCatalogue[id].label)}</Text>
                  <KeyHint id={id} />
                </Group>
              ))}
            </Stack>
          </section>
        ))}
      </SimpleGrid>
      <Switch
        label={t`Shortcuts of single keys`}
        description={t`Switch them off if dictation or a screen reader presses them by accident. Ctrl-K stays.`}
        checked={shortcuts}
        onChange={(event) => setPreferences({ shortcuts: event.currentTarget.checked })}
      />
      <Text size="xs" c="dimmed">
        <Trans>Keys are meant by their place, so they work with a Russian layout too.</Trans>
      </Text>
    </Stack>
  );
}
