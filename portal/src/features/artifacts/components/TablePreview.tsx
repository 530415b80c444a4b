import { useLingui } from "@lingui/react/macro";
import { Text } from "@mantine/core";
import { useMemo } from "react";
import { useFormats } from "@/ui/format";
import { parseDelimited } from "../delimited";
import classes from "./Artifacts.module.css";
import { Scrolling } from "./Scrolling";

const rowsShown = 200;
const columnsShown = 100;

type Props = {
  text: string;
  /** Whether the text is all of the file. */
  whole: boolean;
  label: string;
};

/** The first rows of a table that is written as text. */
export function TablePreview({ text, whole, label }: Props) {
  const table = useMemo(() => parseDelimited(text, rowsShown, whole), [text, whole]);
  return <Rows label={label} columns={table.columns} rows={table.rows} more={table.more} />;
}

type RowsProps = {
  label: string;
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  more: boolean;
};

function Rows({ label, columns, rows, more }: RowsProps) {
  const { t } = useLingui();
  const formats = useFormats();
  const shown = columns.slice(0, columnsShown);
  const count = formats.number(rows.length);
  const left = columns.length - shown.length;
  return (
    <div>
      <Scrolling label={t`Rows of ${label}`} className={classes.scroll}>
        <table aria-label={label} className={classes.table}>
          <thead>
            <tr>
              {shown.map((name, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: names of columns may repeat
                <th key={index} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, line) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rows have no names and never change
              <tr key={line}>
                {shown.map((_, index) => {
                  const value = text(row[index]);
                  const isNumber = value.trim() !== "" && Number.isFinite(Number(value));
                  return (
                    // biome-ignore lint/suspicious/noArrayIndexKey: see above
                    <td key={index} data-number={isNumber || undefined} title={value}>
                      {value}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolling>
      <Text size="sm" c="dimmed" mt="xs">
        {more ? t`The first ${count} rows are shown.` : t`All ${count} rows are shown.`}
        {left > 0 ? ` ${t`${formats.number(left)} more columns are not shown.`}` : ""}
      </Text>
    </div>
  );
}

function text(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
