import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Menu } from "@mantine/core";
import {
  IconArrowsMaximize,
  IconArrowsMinimize,
  IconDots,
  IconFileTypeCsv,
  IconPhotoDown,
  IconRulerMeasure,
  IconTable,
  IconZoomIn,
  IconZoomOut,
  IconZoomReset,
} from "@tabler/icons-react";
import type { ReactNode } from "react";

type Props = {
  title: string;
  zoomable: boolean;
  onZoomIn: () => void;
  onZoomOut: () => void;
  /** Missing when everything is in view. */
  onReset?: () => void;
  maximised: boolean;
  onMaximise: () => void;
  tabular: boolean;
  onTable: () => void;
  measures: boolean;
  /** Missing where nothing is measured. */
  onMeasure?: () => void;
  onPng: () => void;
  onCsv: () => void;
  downloads?: ReactNode;
  children?: ReactNode;
};

/** Everything the mouse and the keys can do with a chart, by click. */
export function ChartMenu(props: Props) {
  const { t } = useLingui();
  const { title, zoomable, maximised, tabular } = props;
  const icon = { size: 16, "aria-hidden": true } as const;
  return (
    <Menu>
      <Menu.Target>
        <ActionIcon aria-label={t`Chart ${title}: menu`}>
          <IconDots size={18} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconZoomIn {...icon} />}
          rightSection={<span aria-hidden>+</span>}
          disabled={!zoomable}
          closeMenuOnClick={false}
          onClick={props.onZoomIn}
        >
          <Trans>Zoom in</Trans>
        </Menu.Item>
        <Menu.Item
          leftSection={<IconZoomOut {...icon} />}
          rightSection={<span aria-hidden>−</span>}
          disabled={!props.onReset}
          closeMenuOnClick={false}
          onClick={props.onZoomOut}
        >
          <Trans>Zoom out</Trans>
        </Menu.Item>
        <Menu.Item
          leftSection={<IconZoomReset {...icon} />}
          rightSection={<span aria-hidden>0</span>}
          disabled={!props.onReset}
          onClick={props.onReset}
        >
          <Trans>Show everything</Trans>
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item
          leftSection={
            maximised ? <IconArrowsMinimize {...icon} /> : <IconArrowsMaximize {...icon} />
          }
          rightSection={<span aria-hidden>F</span>}
          onClick={props.onMaximise}
        >
          {maximised ? <Trans>Back to its place</Trans> : <Trans>Fill the window</Trans>}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconTable {...icon} />}
          rightSection={<span aria-hidden>D</span>}
          onClick={props.onTable}
        >
          {tabular ? <Trans>Hide the table</Trans> : <Trans>Show as a table</Trans>}
        </Menu.Item>
        {props.onMeasure ? (
          <Menu.Item
            leftSection={<IconRulerMeasure {...icon} />}
            rightSection={<span aria-hidden>A B</span>}
            onClick={props.onMeasure}
          >
            {props.measures ? <Trans>Stop measuring</Trans> : <Trans>Measure</Trans>}
          </Menu.Item>
        ) : null}
        {props.children}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconPhotoDown {...icon} />}
          disabled={!zoomable}
          onClick={props.onPng}
        >
          <Trans>Download as PNG</Trans>
        </Menu.Item>
        <Menu.Item
          leftSection={<IconFileTypeCsv {...icon} />}
          disabled={!zoomable}
          onClick={props.onCsv}
        >
          <Trans>Download as CSV</Trans>
        </Menu.Item>
        {props.downloads}
      </Menu.Dropdown>
    </Menu>
  );
}
