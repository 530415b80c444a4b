import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Skeleton, Text } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { getPreviewArtifactQueryKey, previewArtifact } from "@/api/generated/artifacts/artifacts";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useFormats } from "@/ui/format";
import classes from "./Artifacts.module.css";
import { Scrolling } from "./Scrolling";

const rowsShown = 100;
const columnsShown = 100;

type Props = { artifactId: string; sha256: string; label: string };

/** A table that only the server can read, or that is too large to be fetched: some rows at a time. */
export function ServerTable({ artifactId, sha256, label }: Props) {
  const { t } = useLingui();
  const formats = useFormats();
  const [offset, setOffset] = useState(0);
  const params = { rows: rowsShown, offset };
  const preview = useQuery({
    queryKey: [...getPreviewArtifactQueryKey(artifactId, params), sha256],
    queryFn: ({ signal }) => previewArtifact(artifactId, params, { signal }),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (preview.error) {
    return <ErrorNotice error={preview.error} onRetry={() => void preview.refetch()} />;
  }
  if (!preview.data) return <Skeleton height="12rem" />;
  const { table, reason, truncated } = preview.data;
  if (!table) {
    return <Text c="dimmed">{reason ?? t`The server cannot read this as a table.`}</Text>;
  }
  const columns = table.columns.slice(0, columnsShown);
  const left = table.columns.length - columns.length;
  const first = formats.number(offset + 1);
  const last = formats.number(offset + table.rows.length);
  const total = table.row_count === null ? null : formats.number(table.row_count);
  const more =
    table.row_count === null ? Boolean(truncated) : offset + table.rows.length < table.row_count;
  return (
    <div aria-busy={preview.isPlaceholderData}>
      <Scrolling label={t`Rows of ${label}`} className={classes.scroll}>
        <table aria-label={label} className={classes.table}>
          <thead>
            <tr>
              {columns.map(({ name, type }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: names of columns may repeat
                <th key={index} scope="col" title={type}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row, line) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no names and never change
              <tr key={line}>
                {columns.map((_, index) => {
                  const value = cell(row[index]);
                  return (
                    <td
                      // biome-ignore lint/suspicious/noArrayIndexKey: see above
                      key={index}
                      data-number={typeof row[index] === "number" || undefined}
                      title={value}
                    >
                      {value}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
      <Group mt="xs" gap="xs" justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {table.rows.length === 0
            ? t`The table has no rows here.`
            : total === null
              ? t`Rows ${first} to ${last}.`
              : t`Rows ${first} to ${last} of ${total}.`}
          {left > 0 ? ` ${t`${formats.number(left)} more columns are not shown.`}` : ""}
          {reason ? ` ${reason}` : ""}
        </Text>
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            disabled={offset === 0}
            onClick={() => setOffset(Math.max(0, offset - rowsShown))}
          >
            <Trans>Earlier rows</Trans>
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={!more}
            onClick={() => setOffset(offset + rowsShown)}
          >
            <Trans>Further rows</Trans>
          </Button>
        </Group>
      </Group>
    </div>
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
