import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Popover, TextInput } from "@mantine/core";
import { IconArrowDown, IconArrowUp, IconColumns3 } from "@tabler/icons-react";
import { useState } from "react";
import { attributes, type ColumnId, type FoundColumns } from "../columns";
import { useColumnName } from "./column-names";
import classes from "./RunsTable.module.css";

type Props = {
  shown: readonly ColumnId[];
  found: FoundColumns;
  withExperiment: boolean;
  /** `undefined` goes back to the columns that are found automatically. */
  onChange: (columns: ColumnId[] | undefined) => void;
  automatic: boolean;
};

/** Which columns there are and in which order. */
export function ColumnChooser({ shown, found, withExperiment, onChange, automatic }: Props) {
  const { t } = useLingui();
  const columnName = useColumnName();
  const [search, setSearch] = useState("");
  const matches = (column: ColumnId) =>
    columnName(column).toLowerCase().includes(search.trim().toLowerCase());
  const groups: [string, ColumnId[]][] = [
    [t`Parameters that differ`, found.differing.map((key) => `params.${key}`)],
    [t`Metrics`, found.metrics.map((key) => `metrics.${key}`)],
    [t`Parameters equal in all runs`, found.identical.map((key) => `params.${key}`)],
    [t`About the run`, attributes.filter((name) => withExperiment || name !== "experiment")],
  ];

  function toggle(column: ColumnId): void {
    onChange(shown.includes(column) ? shown.filter((one) => one !== column) : [...shown, column]);
  }

  function move(column: ColumnId, by: number): void {
    const from = shown.indexOf(column);
    const next = shown.filter((one) => one !== column);
    next.splice(from + by, 0, column);
    onChange(next);
  }

  return (
    <Popover trapFocus withinPortal position="bottom-end">
      <Popover.Target>
        <Button size="xs" variant="default" leftSection={<IconColumns3 size={15} aria-hidden />}>
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
                  {rest.map((column) => (
                    <div key={column} className={classes.choice}>
                      <Choice
                        column={column}
                        name={columnName(column)}
                        checked={false}
                        onToggle={toggle}
                      />
                    </div>
                  ))}
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

function Choice({ column, name, checked, onToggle }: ChoiceProps) {
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
