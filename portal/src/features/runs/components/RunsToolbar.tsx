import { useLingui } from "@lingui/react/macro";
import { MultiSelect, Switch, TagsInput, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { RunStatus } from "@/api/generated/models/runStatus";
import { statusLooks } from "@/ui/StatusBadge";
import { type RunSearch, runStatuses } from "../filter";
import classes from "./RunsTable.module.css";

type Props = {
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
  /** More controls at the end of the row. */
  children?: ReactNode;
};

/** What narrows a list of runs. */
export function RunsToolbar({ search, onSearch, children }: Props) {
  const { t } = useLingui();
  const [text, setText] = useState(search.q ?? "");
  const typed = useRef(search.q ?? "");
  const ask = useDebouncedCallback((q: string) => {
    typed.current = q;
    onSearch({ q: q.trim() || undefined });
  }, 250);
  // Somebody else changed the address (back button, "clear"): the field follows.
  useEffect(() => {
    if ((search.q ?? "") !== typed.current.trim()) {
      typed.current = search.q ?? "";
      setText(search.q ?? "");
    }
  }, [search.q]);
  const statuses = runStatuses.filter((status) => status !== "archived");

  return (
    <search className={classes.toolbar}>
      <TextInput
        type="search"
        size="xs"
        className={classes.search}
        aria-label={t`Search runs by name`}
        placeholder={t`Search runs by name`}
        leftSection={<IconSearch size={15} aria-hidden />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          ask(event.currentTarget.value);
        }}
      />
      <MultiSelect
        size="xs"
        className={classes.wide}
        aria-label={t`Status`}
        placeholder={search.status?.length ? undefined : t`Any status`}
        data={statuses.map((status) => ({ value: status, label: t(statusLooks[status].label) }))}
        value={search.status ?? []}
        onChange={(chosen) =>
          onSearch({ status: chosen.length > 0 ? (chosen as RunStatus[]) : undefined })
        }
        clearable
        clearButtonProps={{ "aria-label": t`Any status` }}
      />
      <TagsInput
        size="xs"
        className={classes.wide}
        aria-label={t`Tags: key or key=value`}
        placeholder={search.tag?.length ? undefined : t`Tag or key=value`}
        value={search.tag ?? []}
        onChange={(tags) => onSearch({ tag: tags.length > 0 ? tags : undefined })}
        clearable
        clearButtonProps={{ "aria-label": t`Any tags` }}
      />
      <Switch
        label={t`Archived`}
        checked={search.archived === "true"}
        onChange={(event) =>
          onSearch({ archived: event.currentTarget.checked ? "true" : undefined })
        }
      />
      <span className={classes.spacer} />
      {children}
    </search>
  );
}
