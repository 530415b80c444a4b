import { Plural, useLingui } from "@lingui/react/macro";
import { ActionIcon, MultiSelect, Switch, TagsInput, TextInput, Tooltip } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconArchive, IconArchiveOff, IconSearch } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Experiment } from "@/api/generated/models/experiment";
import { ExperimentStatus } from "@/api/generated/models/experimentStatus";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { StatusBadge, statusLooks } from "@/ui/StatusBadge";
import { TagList } from "@/ui/Tags";
import { TimeText } from "@/ui/TimeText";
import type { ExperimentSearch } from "../queries";
import { useArchiving } from "./archiving";
import classes from "./Experiments.module.css";

type Props = {
  projectId: string;
  experiments: Experiment[] | undefined;
  search: ExperimentSearch;
  onSearch: (change: Partial<ExperimentSearch>) => void;
  canEdit: boolean;
  link: (experiment: Experiment, className: string | undefined) => ReactNode;
  empty: ReactNode;
  refreshing: boolean;
  onMore?: () => void;
  loadingMore: boolean;
};

export function ExperimentsTable(props: Props) {
  const { search, onSearch, canEdit, link } = props;
  const { t } = useLingui();
  const { archive, restore } = useArchiving(props.projectId);
  const ask = useDebouncedCallback((q: string) => onSearch({ q: q.trim() || undefined }), 250);
  const statuses = Object.values(ExperimentStatus).filter((status) => status !== "archived");
  const columns: DataColumn<Experiment>[] = [
    {
      id: "name",
      header: t`Name`,
      meta: { sortKey: "name" },
      cell: ({ row: { original } }) => (
        <span>
          {link(original, classes.name)}
          {firstLine(original.description) ? (
            <span className={classes.about}>{firstLine(original.description)}</span>
          ) : null}
        </span>
      ),
    },
    {
      id: "status",
      header: t`Status`,
      cell: ({ row }) => <StatusBadge status={row.original.status} />,
    },
    {
      id: "runs",
      header: t`Runs`,
      meta: { numeric: true },
      cell: ({ row: { original } }) => (
        <span>
          {original.running_count > 0 ? (
            <span className={classes.running}>
              <Plural value={original.running_count} one="# running" other="# running" />
              {" · "}
            </span>
          ) : null}
          {original.run_count}
        </span>
      ),
    },
    {
      id: "last_run_at",
      header: t`Last run`,
      meta: { sortKey: "last_run_at" },
      cell: ({ row }) => <TimeText at={row.original.last_run_at} />,
    },
    {
      id: "tags",
      header: t`Tags`,
      cell: ({ row }) => <TagList tags={row.original.tags} />,
    },
  ];
  if (canEdit) {
    columns.push({
      id: "actions",
      header: () => <span className="rb-visually-hidden">{t`Actions`}</span>,
      meta: { tight: true },
      cell: ({ row: { original } }) => {
        const away = original.archived_at !== null;
        const label = away ? t`Restore ${original.name}` : t`Archive ${original.name}`;
        return (
          <Tooltip label={away ? t`Restore` : t({ message: "Archive", context: "verb" })}>
            <ActionIcon
              aria-label={label}
              onClick={() => (away ? restore(original.id) : archive(original))}
            >
              {away ? (
                <IconArchiveOff size={17} aria-hidden />
              ) : (
                <IconArchive size={17} aria-hidden />
              )}
            </ActionIcon>
          </Tooltip>
        );
      },
    });
  }

  return (
    <>
      <search className={classes.toolbar}>
        <TextInput
          key={search.q === undefined ? "empty" : "typed"}
          type="search"
          size="xs"
          className={classes.search}
          aria-label={t`Search experiments by name`}
          placeholder={t`Search experiments by name`}
          leftSection={<IconSearch size={15} aria-hidden />}
          defaultValue={search.q ?? ""}
          onChange={(event) => ask(event.currentTarget.value)}
        />
        <MultiSelect
          size="xs"
          className={classes.wide}
          aria-label={t`Status`}
          placeholder={search.status?.length ? undefined : t`Any status`}
          data={statuses.map((status) => ({ value: status, label: t(statusLooks[status].label) }))}
          value={search.status ?? []}
          onChange={(chosen) =>
            onSearch({ status: chosen.length > 0 ? (chosen as ExperimentStatus[]) : undefined })
          }
        />
        <TagsInput
          size="xs"
          className={classes.wide}
          aria-label={t`Tags: key or key=value`}
          placeholder={search.tag?.length ? undefined : t`Tag or key=value`}
          value={search.tag ?? []}
          onChange={(tags) => onSearch({ tag: tags.length > 0 ? tags : undefined })}
        />
        <Switch
          label={t`Archived`}
          checked={search.archived ?? false}
          onChange={(event) => onSearch({ archived: event.currentTarget.checked || undefined })}
        />
      </search>
      <DataTable
        label={t`Experiments`}
        columns={columns}
        rows={props.experiments}
        rowId={({ id }) => id}
        empty={props.empty}
        sort={search.sort}
        onSort={(sort) => onSearch({ sort: sort as ExperimentSearch["sort"] })}
        refreshing={props.refreshing}
        onMore={props.onMore}
        loadingMore={props.loadingMore}
      />
    </>
  );
}

/** The first words of a Markdown text, without its marks. */
function firstLine(markdown: string): string {
  const line = markdown.split("\n").find((text) => text.trim() !== "") ?? "";
  return line.replace(/^[#>\s*-]+/, "").replace(/[*_`]/g, "");
}
