import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Menu, Pill, Select, TextInput } from "@mantine/core";
import { IconFileDownload } from "@tabler/icons-react";
import { useState } from "react";
import { address } from "@/api/http";
import { actionGroups, actionNames } from "../actions";
import type { AuditFormat } from "../queries";
import type { AuditSearch } from "../search";

type Props = {
  search: AuditSearch;
  onChange: (search: AuditSearch) => void;
  /** The name of whoever is filtered by, where it is known. */
  person?: string;
};

/** Everything that narrows the audit; what is chosen stands in the address of the page. */
export function AuditFilters({ search, onChange, person }: Props) {
  const { t } = useLingui();
  const set = (changed: Partial<AuditSearch>) => onChange({ ...search, ...changed });
  const { action } = search;
  const known = actionGroups.map(({ title, names }) => ({
    group: t(title),
    items: Object.entries(names).map(([value, name]) => ({ value, label: t(name) })),
  }));
  const actions =
    action && !(action in actionNames) ? [{ value: action, label: action }, ...known] : known;
  return (
    <Group mb="md" gap="sm" align="flex-end">
      <TextFilter key={search.q} text={search.q} onChange={(q) => set({ q })} />
      <Select
        w={{ base: "100%", xs: 260 }}
        aria-label={t`Which actions`}
        placeholder={t`All actions`}
        clearable
        searchable
        value={action ?? null}
        onChange={(value) => set({ action: value ?? undefined })}
        data={actions}
        clearButtonProps={{ "aria-label": t`Show all actions` }}
      />
      <Select
        w={{ base: "100%", xs: 170 }}
        aria-label={t`How it ended`}
        placeholder={t`Any result`}
        clearable
        value={search.result ?? null}
        onChange={(value) => set({ result: (value as AuditSearch["result"]) ?? undefined })}
        data={[
          { value: "success", label: t`Done` },
          { value: "failure", label: t`Failed` },
          { value: "denied", label: t`Denied` },
        ]}
        clearButtonProps={{ "aria-label": t`Show every result` }}
      />
      <TextInput
        type="date"
        label={t`From this day`}
        value={search.from ?? ""}
        onChange={({ currentTarget: { value } }) => set({ from: value || undefined })}
      />
      <TextInput
        type="date"
        label={t`To, that day included`}
        value={search.to ?? ""}
        onChange={({ currentTarget: { value } }) => set({ to: value || undefined })}
      />
      {search.by ? (
        <Pill
          withRemoveButton
          removeButtonProps={{ "aria-label": t`Show everybody` }}
          onRemove={() => set({ by: undefined })}
        >
          <Trans>By {person ?? search.by}</Trans>
        </Pill>
      ) : null}
      {search.target ? (
        <Pill
          withRemoveButton
          removeButtonProps={{ "aria-label": t`Show what was done to anything` }}
          onRemove={() => set({ target: undefined })}
        >
          <Trans>To {search.target}</Trans>
        </Pill>
      ) : null}
    </Group>
  );
}

function TextFilter({ text, onChange }: { text?: string; onChange: (q?: string) => void }) {
  const { t } = useLingui();
  const [typed, setTyped] = useState(text ?? "");
  const send = () => {
    if (typed !== (text ?? "")) onChange(typed || undefined);
  };
  return (
    <TextInput
      w={{ base: "100%", xs: 220 }}
      aria-label={t`Text in the audit`}
      placeholder={t`Name, address, trace id…`}
      maxLength={200}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={send}
      onKeyDown={(event) => event.key === "Enter" && send()}
    />
  );
}

/** Takes what is shown, and all behind it, as a file. */
export function AuditExport({ path }: { path: (format: AuditFormat) => string }) {
  const { t } = useLingui();
  const names: [AuditFormat, string][] = [
    ["csv", t`CSV, for spreadsheets`],
    ["jsonl", t`JSON Lines, for programs`],
  ];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconFileDownload size={15} aria-hidden />}>
          <Trans>Export</Trans>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {names.map(([format, name]) => (
          <Menu.Item key={format} component="a" href={address(path(format))} download>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
