import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Popover, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconArrowDown, IconArrowUp, IconColumns3 } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { attributes, type ColumnId, type FoundColumns, moved } from "../columns";
import { fieldName } from "../completion";
import { fieldsQuery } from "../queries";
import type { RunScope } from "../workspace";
import { useColumnName } from "./column-names";
import classes from "./RunsTable.module.css";

type Props = {
  scope: RunScope;
  shown: readonly ColumnId[];
  found: FoundColumns;
  /** `undefined` goes back to the columns that are found automatically. */
  onChange: (columns: ColumnId[] | undefined) => void;
  automatic: boolean;
};

/** Beyond these the list asks for a word to search by. */
const atMost = 60;

/** Which columns there are and in which order. */
export function ColumnChooser({ scope, shown, found, onChange, automatic }: Props) {
  const { t } = useLingui();
  const columnName = useColumnName();
  const [open, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const [q] = useDebouncedValue(search.trim(), 200);
  // The loaded runs know their own keys; the server knows those of all runs.
  const asked = useQuery({ ...fieldsQuery(scope, { q, limit: 200 }), enabled: open && q !== "" });
  const others = (asked.data?.items ?? [])
    .filter(({ kind }) => ["param", "metric", "tag"].includes(kind))
    .map(fieldName);
  const matches = (column: ColumnId) =>
    columnName(column).toLowerCase().includes(search.trim().toLowerCase()) ||
    column.toLowerCase().includes(search.trim().toLowerCase());
  const known = [
    ...found.differing.map((key) => `params.${key}`),
    ...found.metrics.map((key) => `metrics.${key}`),
    ...found.identical.map((key) => `params.${key}`),
    ...found.tags.map((key) => `tags.${key}`),
  ];
  const groups: [string, ColumnId[]][] = [
    [t`Parameters that differ`, found.differing.map((key) => `params.${key}`)],
    [t`Metrics`, found.metrics.map((key) => `metrics.${key}`)],
    [t`Parameters equal in all runs`, found.identical.map((key) => `params.${key}`)],
    [t`Tags`, found.tags.map((key) => `tags.${key}`)],
    [t`About the run`, attributes.filter((one) => !scope.experimentId || one !== "experiment")],
    [t`In runs that are not loaded`, others.filter((column) => !known.includes(column))],
  ];
  const toggle = (column: ColumnId) =>
    onChange(shown.includes(column) ? shown.filter((one) => one !== column) : [...shown, column]);
  const move = (column: ColumnId, by: number) =>
    onChange(moved(shown, column, shown.indexOf(column) + by));

  return (
    <Popover trapFocus withinPortal position="bottom-end" opened={open} onChange={setOpen}>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconColumns3 size={15} aria-hidden />}
          onClick={() => setOpen(!open)}
        >
          <Trans>Columns</Trans>
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={classes.chooser}>
          <TextInput
            size="xs"
            type="search"
            aria-label={t`Search columns`}
            placeholder={t`Search columns`}
            value={search}
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
          <div className={classes.choices}>
            <h3>{t`Shown, from left to right`}</h3>
            {shown.filter(matches).map((column) => (
              <div key={column} className={classes.choice}>
                <Choice column={column} name={columnName(column)} checked onToggle={toggle} />
                <ActionIcon
                  size="sm"
                  aria-label={t`Move ${columnName(column)} to the left`}
                  disabled={shown[0] === column}
                  onClick={() => move(column, -1)}
                >
                  <IconArrowUp size={15} aria-hidden />
                </ActionIcon>
                <ActionIcon
                  size="sm"
                  aria-label={t`Move ${columnName(column)} to the right`}
                  disabled={shown.at(-1) === column}
                  onClick={() => move(column, 1)}
                >
                  <IconArrowDown size={15} aria-hidden />
                </ActionIcon>
              </div>
            ))}
            {groups.map(([title, members]) => {
              const rest = members.filter((column) => !shown.includes(column) && matches(column));
              return rest.length > 0 ? (
                <div key={title}>
                  <h3>{title}</h3>
                  {rest.slice(0, atMost).map((column) => (
                    <div key={column} className={classes.choice}>
                      <Choice
                        column={column}
                        name={columnName(column)}
                        checked={false}
                        onToggle={toggle}
                      />
                    </div>
                  ))}
                  {rest.length > atMost ? (
                    <p className={classes.hint}>
                      <Trans>Search to find the other {rest.length - atMost}.</Trans>
                    </p>
                  ) : null}
                </div>
              ) : null;
            })}
          </div>
          <Button
            size="xs"
            variant="default"
            disabled={automatic}
            onClick={() => onChange(undefined)}
          >
            <Trans>Choose columns automatically</Trans>
          </Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

type ChoiceProps = {
  column: ColumnId;
  name: string;
  checked: boolean;
  onToggle: (column: ColumnId) => void;
};

export function Choice({ column, name, checked, onToggle }: ChoiceProps) {
  return (
    <label>
      <span className={classes.box}>
        <input type="checkbox" checked={checked} onChange={() => onToggle(column)} />
      </span>
      <span className={classes.text} title={column}>
        {name}
      </span>
    </label>
  );
}
