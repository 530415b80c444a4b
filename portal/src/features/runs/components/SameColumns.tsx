import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Button, Popover, Switch } from "@mantine/core";
import { IconEqual } from "@tabler/icons-react";
import type { FoundColumns } from "../columns";
import { Value } from "./cells";
import classes from "./RunsTable.module.css";

type Props = {
  found: FoundColumns;
  /** How many of the equal columns are not shown. */
  hidden: number;
  same: boolean;
  onSame: (same: boolean) => void;
};

/** What is equal in all runs: hidden by default, counted, and read in one look. */
export function SameColumns({ found, hidden, same, onSame }: Props) {
  const { t } = useLingui();
  if (found.identical.length === 0) return null;
  return (
    <Popover withinPortal trapFocus position="bottom-end">
      <Popover.Target>
        <Button
          size="xs"
          variant={hidden > 0 ? "light" : "default"}
          leftSection={<IconEqual size={15} aria-hidden />}
        >
          {hidden > 0 ? (
            <Plural
              value={hidden}
              one="# identical column hidden"
              other="# identical columns hidden"
            />
          ) : (
            <Trans>Identical columns</Trans>
          )}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={classes.chooser}>
          <Switch
            label={t`Only differences`}
            checked={!same}
            onChange={(event) => onSame(!event.currentTarget.checked)}
          />
          <dl className={classes.equal}>
            {found.identical.map((key) => (
              <div key={key}>
                <dt title={key}>{key}</dt>
                <dd>
                  <Value value={found.equal.get(key)} />
                </dd>
              </div>
            ))}
          </dl>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
