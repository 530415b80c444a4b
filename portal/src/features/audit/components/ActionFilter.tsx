import { useLingui } from "@lingui/react/macro";
import { Select } from "@mantine/core";
import { actionNames } from "../actions";

type Props = { action: string | undefined; onChange: (action: string | undefined) => void };

export function ActionFilter({ action, onChange }: Props) {
  const { t } = useLingui();
  const known = Object.entries(actionNames).map(([value, name]) => ({ value, label: t(name) }));
  const data =
    action && !(action in actionNames) ? [...known, { value: action, label: action }] : known;
  return (
    <Select
      mb="md"
      w={{ base: "100%", xs: 320 }}
      aria-label={t`Which actions`}
      placeholder={t`All actions`}
      clearable
      searchable
      value={action ?? null}
      onChange={(value) => onChange(value ?? undefined)}
      data={data}
      clearButtonProps={{ "aria-label": t`Show all actions` }}
    />
  );
}
