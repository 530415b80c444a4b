import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Popover, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconStack2 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { FoundColumns } from "../columns";
import { fieldName } from "../completion";
import { fieldLabel, groupedAtMost } from "../groups";
import { fieldsQuery } from "../queries";
import type { RunScope } from "../workspace";
import { Choice } from "./ColumnChooser";
import classes from "./RunsTable.module.css";

type Props = {
  scope: RunScope;
  group: readonly string[];
  found: FoundColumns;
  onGroup: (group: string[] | undefined) => void;
};

/** What the runs are grouped by: some fields, or all parameters but some. */
export function GroupPicker({ scope, group, found, onGroup }: Props) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const [q] = useDebouncedValue(search.trim(), 200);
  const fields = useQuery({ ...fieldsQuery(scope, { q, limit: 100 }), enabled: open });
  const known = [
    ...found.differing.map((key) => `params.${key}`),
    ...found.tags.map((key) => `tags.${key}`),
    ...found.identical.map((key) => `params.${key}`),
  ];
  const asked = (fields.data?.items ?? [])
    .filter(({ kind, type }) => ["param", "tag", "attribute"].includes(kind) && type !== "time")
    .map(fieldName)
    .filter((field) => !ungrouped.has(field));
  const offered = [...new Set([...known, ...asked])].filter(
    (field) => !group.includes(field) && field.toLowerCase().includes(search.trim().toLowerCase()),
  );
  const allParams = found.differing.map((key) => `params.${key}`).slice(0, groupedAtMost);
  const full = group.length >= groupedAtMost;
  const names = group.map(fieldLabel).join(", ");
  const toggle = (field: string) => {
    const next = group.includes(field)
      ? group.filter((one) => one !== field)
      : [...group, field].slice(0, groupedAtMost);
    onGroup(next.length > 0 ? next : undefined);
  };

  return (
    <Popover trapFocus withinPortal position="bottom-end" opened={open} onChange={setOpen}>
      <Popover.Target>
        <Button
          size="xs"
          variant={group.length > 0 ? "light" : "default"}
          leftSection={<IconStack2 size={15} aria-hidden />}
          className={classes.grouped}
          onClick={() => setOpen(!open)}
        >
          {group.length > 0 ? <Trans>Grouped by {names}</Trans> : <Trans>Group</Trans>}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={classes.chooser}>
          <TextInput
            size="xs"
            type="search"
            aria-label={t`Search fields`}
            placeholder={t`Search fields`}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
          <div className={classes.choices}>
            {group.length > 0 ? <h3>{t`Grouped by`}</h3> : null}
            {group.map((field) => (
              <div key={field} className={classes.choice}>
                <Choice column={field} name={field} checked onToggle={toggle} />
              </div>
            ))}
            <h3>{t`Group by`}</h3>
            {full ? (
              <p className={classes.hint}>
                <Trans>Runs are grouped by {groupedAtMost} fields at most.</Trans>
              </p>
            ) : (
              offered.map((field) => (
                <div key={field} className={classes.choice}>
                  <Choice column={field} name={field} checked={false} onToggle={toggle} />
                </div>
              ))
            )}
          </div>
          <Button
            size="xs"
            variant="default"
            disabled={allParams.length === 0}
            onClick={() => onGroup(allParams)}
          >
            <Trans>All parameters, then untick some</Trans>
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={group.length === 0}
            onClick={() => onGroup(undefined)}
          >
            <Trans>Do not group</Trans>
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

/** What is another in every run makes no groups. */
const ungrouped = new Set([
  "attributes.run_id",
  "attributes.id",
  "attributes.name",
  "attributes.run_name",
  "attributes.duration_seconds",
]);
