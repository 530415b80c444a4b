import { Trans, useLingui } from "@lingui/react/macro";
import { Select, Stack, Switch, Text } from "@mantine/core";
import { type Language, setPreferences, type ThemeChoice, usePreferences } from "@/ui/preferences";

export function PreferencesForm() {
  const { t } = useLingui();
  const { language, theme, shortcuts } = usePreferences();
  return (
    <Stack gap="md" maw={420}>
      <Select
        label={t`Language`}
        value={language}
        onChange={(value) => setPreferences({ language: value as Language })}
        data={[
          { value: "en", label: "English" },
          { value: "ru", label: "Русский" },
        ]}
      />
      <Select
        label={t`Theme`}
        value={theme}
        onChange={(value) => setPreferences({ theme: value as ThemeChoice })}
        data={[
          { value: "auto", label: t`As the system` },
          { value: "light", label: t`Light` },
          { value: "dark", label: t`Dark` },
        ]}
      />
      <Switch
        label={t`Shortcuts of single keys`}
        description={t`Switch them off if dictation or a screen reader presses them by accident. Ctrl-K stays.`}
        checked={shortcuts}
        onChange={(event) => setPreferences({ shortcuts: event.currentTarget.checked })}
      />
      <Text size="xs" c="dimmed">
        <Trans>Kept in this browser.</Trans>
      </Text>
    </Stack>
  );
}
