import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { Axis, Line, Range } from "../axis";
import type { Words } from "../ticks";
import classes from "./SeriesChart.module.css";

const pageSize = 25;

type Props = {
  title: string;
  lines: readonly Line[];
  axis: Axis;
  zoom: Range | null;
  words: Words;
};

/** The points in view as a table, for reading them one by one and for screen readers. */
export function PointTable({ title, lines, axis, zoom, words }: Props) {
  const { t } = useLingui();
  const [asked, setAsked] = useState(0);
  const places = [...new Set(lines.flatMap(({ x }) => x))]
    .filter((x) => !zoom || (x >= zoom[0] && x <= zoom[1]))
    .sort((a, b) => a - b);
  const pages = Math.max(1, Math.ceil(places.length / pageSize));
  const page = Math.min(asked, pages - 1);
  const number = page + 1;
  const columns = lines.map(({ x, y }) => new Map(x.map((place, index) => [place, y[index]])));
  const axisName = { step: t`Step`, time: t`Time`, relative: t`Since the start`, value: t`Raw` }[
    axis
  ];
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
    <section className={classes.table} aria-label={t`Points of ${title}`} tabIndex={0}>
      <table>
        <caption>
          <Trans>Points of {title}</Trans>
        </caption>
        <thead>
          <tr>
            <th scope="col">{axisName}</th>
            {lines.map(({ id, label }) => (
              <th key={id} scope="col">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {places.slice(page * pageSize, (page + 1) * pageSize).map((place) => (
            <tr key={place}>
              <th scope="row">{words.place(axis, place)}</th>
              {columns.map((column, index) => {
                const value = column.get(place);
                const line = lines[index];
                const said = value === undefined ? "" : words.value(value);
                const late = line?.late?.places.has(place) ? `, ${t`late`}` : "";
                return (
                  <td key={line?.id}>
                    {line?.reasons?.get(place) ?? said}
                    {value === undefined ? "" : late}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {pages > 1 ? (
        <Group gap="xs" justify="flex-end" py={6}>
          <Text size="xs" c="dimmed">
            <Trans>
              Page {number} of {pages}
            </Trans>
          </Text>
          <Button
            size="compact-xs"
            variant="default"
            disabled={page === 0}
            onClick={() => setAsked(page - 1)}
          >
            <Trans>Previous</Trans>
          </Button>
          <Button
            size="compact-xs"
            variant="default"
            disabled={page >= pages - 1}
            onClick={() => setAsked(page + 1)}
          >
            <Trans>Next</Trans>
          </Button>
        </Group>
      ) : null}
    </section>
  );
}
