import { Trans, useLingui } from "@lingui/react/macro";
import { Button, MultiSelect, Switch, TagsInput, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { RunStatus } from "@/api/generated/models/runStatus";
import { type Status, statusLooks } from "@/ui/StatusBadge";
import { chipsOf, withChips } from "../chips";
import type { Workspace } from "../workspace";
import classes from "./RunsTable.module.css";

type Props = {
  workspace: Workspace;
  onWorkspace: (change: Partial<Workspace>) => void;
  /** Keeps all but the name behind a button. */
  narrow: boolean;
  /** More controls at the end of the row. */
  children?: ReactNode;
};

const statuses = Object.values(RunStatus).filter((status) => status !== "archived");
const noChips = { name: "", status: [], tags: [] };

/** Plain filters for who does not write the search language; they are parts of the same expression. */
export function RunsToolbar({ workspace, onWorkspace, narrow, children }: Props) {
  const { t } = useLingui();
  const filter = workspace.filter ?? "";
  const chips = chipsOf(filter);
  const { name, status, tags } = chips ?? noChips;
  const [text, setText] = useState(name);
  const typed = useRef(name);
  const put = (change: Parameters<typeof withChips>[1]) =>
    onWorkspace({ filter: withChips(filter, change) || undefined });
  const ask = useDebouncedCallback((q: string) => {
    typed.current = q.trim();
    put({ name: q });
  }, 250);
  // Somebody else changed the expression (box, back button, "clear"): the field follows.
  useEffect(() => {
    if (name !== typed.current) {
      typed.current = name;
      setText(name);
    }
  }, [name]);
  const [more, setMore] = useState(false);
  const closed = chips === null;
  const why = closed ? t`The expression is more than these fields can show` : undefined;

  return (
    <div className={classes.chips}>
      <TextInput
        type="search"
        size="xs"
        className={classes.search}
        aria-label={t`Search runs by name`}
        placeholder={t`Search runs by name`}
        leftSection={<IconSearch size={15} aria-hidden />}
        disabled={closed}
        title={why}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          ask(event.currentTarget.value);
        }}
      />
      {narrow ? (
        <Button size="xs" variant="default" aria-expanded={more} onClick={() => setMore(!more)}>
          {more ? <Trans>Fewer filters</Trans> : <Trans>More filters</Trans>}
        </Button>
      ) : null}
      {narrow && !more ? null : (
        <>
          <MultiSelect
            size="xs"
            className={classes.wide}
            aria-label={t`Status`}
            placeholder={status.length ? undefined : t`Any status`}
            data={statuses.map((value) => ({
              value: value as string,
              label: t(statusLooks[value as Status].label),
            }))}
            disabled={closed}
            title={why}
            value={status}
            onChange={(chosen) => put({ status: chosen })}
            clearable
            clearButtonProps={{ "aria-label": t`Any status` }}
          />
          <TagsInput
            size="xs"
            className={classes.wide}
            aria-label={t`Tags: key or key=value`}
            placeholder={tags.length ? undefined : t`Tag or key=value`}
            disabled={closed}
            title={why}
            value={tags}
            onChange={(chosen) => put({ tags: chosen })}
            clearable
            clearButtonProps={{ "aria-label": t`Any tags` }}
          />
          <Switch
            label={t`Archived`}
            checked={workspace.archived === "true"}
            onChange={(event) =>
              onWorkspace({ archived: event.currentTarget.checked ? "true" : undefined })
            }
          />
        </>
      )}
      <span className={classes.spacer} />
      {children}
    </div>
  );
}
