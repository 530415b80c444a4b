import { useLingui } from "@lingui/react/macro";
import { Select, Switch, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import type { ReactNode } from "react";
import type { Sensor } from "@/api/generated/models/sensor";
import { type DataColumn, DataTable } from "@/ui/DataTable";
import { useFormats } from "@/ui/format";
import { TimeText } from "@/ui/TimeText";
import { healths, type SensorSearch } from "../search";
import { HealthBadge, healthLooks } from "./HealthBadge";
import classes from "./Sensors.module.css";

/** The newest value of a signal, as the page found it. */
export type LastValue = { signal: string; value: number | null; unit: string | null };

type Props = {
  /** The project whose page this is; sensors of others are marked as shared. */
  projectId: string;
  sensors: Sensor[] | undefined;
  lastValues: ReadonlyMap<string, readonly LastValue[]>;
  search: SensorSearch;
  onSearch: (change: Partial<SensorSearch>) => void;
  link: (sensor: Sensor, className: string | undefined) => ReactNode;
  empty: ReactNode;
  refreshing: boolean;
  onMore?: () => void;
  loadingMore: boolean;
};

const valuesAtMost = 3;

export function SensorsTable(props: Props) {
  const { search, onSearch, link, lastValues, projectId } = props;
  const { t } = useLingui();
  const formats = useFormats();
  const ask = useDebouncedCallback((q: string) => onSearch({ q: q.trim() || undefined }), 250);
  const columns: DataColumn<Sensor>[] = [
    {
      id: "name",
      header: t({ message: "Name", context: "of a thing" }),
      meta: { sortKey: "name" },
      cell: ({ row: { original } }) => (
        <span>
          {link(original, classes.name)}
          <span className={classes.about}>
            {[
              original.type ?? "",
              original.project_id === projectId ? "" : t`shared by another project`,
              original.status === "decommissioned" ? t`decommissioned` : "",
            ]
              .filter(Boolean)
              .join(" · ")}
          </span>
        </span>
      ),
    },
    {
      id: "health",
      header: t`Health`,
      cell: ({ row }) => <HealthBadge health={row.original.health} />,
    },
    {
      id: "values",
      header: t`Last values`,
      cell: ({ row: { original } }) => (
        <LastValues values={lastValues.get(original.id) ?? []} count={original.signals.length} />
      ),
    },
    {
      id: "rate",
      header: t`Expected rate`,
      meta: { numeric: true },
      cell: ({ row }) => {
        const rate = row.original.signals.reduce(
          (sum, one) => sum + (one.expected_rate_hz ?? 0),
          0,
        );
        return rate > 0 ? `${formats.number(rate)} Hz` : "—";
      },
    },
    {
      id: "received",
      header: t`Last data`,
      cell: ({ row }) => <TimeText at={row.original.last_received_at} empty={t`never`} />,
    },
    {
      id: "readings",
      header: t`Readings`,
      meta: { numeric: true },
      cell: ({ row }) =>
        formats.number(row.original.readings, {
          notation: row.original.readings < 1e5 ? "standard" : "compact",
        }),
    },
  ];

  return (
    <>
      <search className={classes.toolbar}>
        <TextInput
          key={search.q === undefined ? "empty" : "typed"}
          type="search"
          size="xs"
          className={classes.search}
          aria-label={t`Search sensors by name`}
          placeholder={t`Search sensors by name`}
          leftSection={<IconSearch size={15} aria-hidden />}
          defaultValue={search.q ?? ""}
          onChange={(event) => ask(event.currentTarget.value)}
        />
        <Select
          size="xs"
          className={classes.narrow}
          aria-label={t`Health`}
          placeholder={t`Any health`}
          clearable
          clearButtonProps={{ "aria-label": t`Any health` }}
          data={healths.map((value) => ({ value, label: t(healthLooks[value].label) }))}
          value={search.health ?? null}
          onChange={(health) => onSearch({ health: (health ?? undefined) as Sensor["health"] })}
        />
        <Switch
          label={t`With decommissioned ones`}
          checked={search.retired ?? false}
          onChange={(event) => onSearch({ retired: event.currentTarget.checked || undefined })}
        />
      </search>
      <DataTable
        label={t`Sensors`}
        columns={columns}
        rows={props.sensors}
        rowId={({ id }) => id}
        empty={props.empty}
        sort={search.sort ?? "name"}
        onSort={(sort) => onSearch({ sort: sort as SensorSearch["sort"] })}
        refreshing={props.refreshing}
        onMore={props.onMore}
        loadingMore={props.loadingMore}
      />
    </>
  );
}

function LastValues({ values, count }: { values: readonly LastValue[]; count: number }) {
  const formats = useFormats();
  const { t } = useLingui();
  if (values.length === 0) return <span>—</span>;
  const rest = count - valuesAtMost;
  return (
    <ul className={classes.values}>
      {values.slice(0, valuesAtMost).map(({ signal, value, unit }) => (
        <li key={signal}>
          <span>{signal}</span> {value === null ? "—" : formats.number(value)} {unit}
        </li>
      ))}
      {rest > 0 ? <li>{t`and ${rest} more`}</li> : null}
    </ul>
  );
}
