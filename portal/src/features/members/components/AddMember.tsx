import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Combobox, Group, Select, Text, TextInput, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Person } from "@/api/generated/models/person";
import type { Role } from "@/api/generated/models/role";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce } from "@/ui/notices";
import { roleMeanings, roleNames, roles } from "@/ui/roles";
import { peopleQuery, useSetMember } from "../queries";
import classes from "./Members.module.css";

type Props = { projectId: string; memberIds: ReadonlySet<string> };

/** Finds a person while one types, and adds them with a role. */
export function AddMember({ projectId, memberIds }: Props) {
  const { t } = useLingui();
  const [text, setText] = useState("");
  const [person, setPerson] = useState<Person | null>(null);
  const [role, setRole] = useState<Role>("editor");
  const [q] = useDebouncedValue(text.trim(), 200);
  const people = useQuery(peopleQuery(person ? "" : q));
  const add = useSetMember(projectId);
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const found = people.data?.items ?? [];

  function choose(id: string) {
    const chosen = found.find((one) => one.id === id);
    if (!chosen) return;
    setPerson(chosen);
    setText(chosen.name);
    combobox.closeDropdown();
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!person) return;
    const { name } = person;
    add.mutate(
      { userId: person.id, role },
      {
        onSuccess: () => {
          setPerson(null);
          setText("");
          announce(t`${name} is a member now`);
        },
      },
    );
  }

  return (
    <form onSubmit={submit}>
      {add.isError ? <ErrorNotice title={t`Nobody was added`} error={add.error} /> : null}
      <div className={classes.add}>
        <Combobox store={combobox} onOptionSubmit={choose}>
          <Combobox.Target>
            <TextInput
              label={t`Person`}
              placeholder={t`Name or e-mail`}
              autoComplete="off"
              value={text}
              onFocus={() => combobox.openDropdown()}
              onBlur={() => combobox.closeDropdown()}
              onChange={(event) => {
                setText(event.currentTarget.value);
                setPerson(null);
                combobox.openDropdown();
                combobox.updateSelectedOptionIndex();
              }}
            />
          </Combobox.Target>
          <Combobox.Dropdown hidden={q.length < 2 || person !== null}>
            <Combobox.Options aria-label={t`People`}>
              {found.map((one) => (
                <Combobox.Option key={one.id} value={one.id} disabled={memberIds.has(one.id)}>
                  <Group justify="space-between" gap="sm">
                    <Text size="sm">{one.name}</Text>
                    <Text size="xs" c="dimmed">
                      {memberIds.has(one.id) ? t`Already a member` : one.email}
                    </Text>
                  </Group>
                </Combobox.Option>
              ))}
              {people.isSuccess && found.length === 0 ? (
                <Combobox.Empty>
                  <Trans>Nobody found. The person needs an account first.</Trans>
                </Combobox.Empty>
              ) : null}
            </Combobox.Options>
          </Combobox.Dropdown>
        </Combobox>
        <RoleSelect label={t`Role`} value={role} onChange={setRole} />
        <Button type="submit" disabled={!person} loading={add.isPending}>
          <Trans>Add member</Trans>
        </Button>
      </div>
      <Text size="xs" c="dimmed" mt="xs">
        {t(roleMeanings[role])}
      </Text>
    </form>
  );
}

type RoleSelectProps = {
  value: Role;
  onChange: (role: Role) => void;
  label?: string;
  "aria-label"?: string;
  size?: "xs" | "sm";
};

export function RoleSelect({ value, onChange, ...rest }: RoleSelectProps) {
  const { t } = useLingui();
  return (
    <Select
      w={140}
      value={value}
      onChange={(role) => role && onChange(role)}
      data={roles.map((role) => ({ value: role, label: t(roleNames[role]) }))}
      {...rest}
    />
  );
}
