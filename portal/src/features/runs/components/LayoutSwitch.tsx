import { useLingui } from "@lingui/react/macro";
import { SegmentedControl, VisuallyHidden } from "@mantine/core";
import { IconChartLine, IconLayoutColumns, IconTable } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useShortcut } from "@/ui/shortcuts";
import type { Layout } from "../workspace";

type Props = {
  layout: Layout;
  onLayout: (layout: Layout) => void;
  /** Too narrow for two parts side by side. */
  narrow: boolean;
};

/** Table, charts, or both beside each other. */
export function LayoutSwitch({ layout, onLayout, narrow }: Props) {
  const { t } = useLingui();
  useShortcut("layoutTable", () => onLayout("table"));
  useShortcut("layoutSplit", () => onLayout("split"), !narrow);
  useShortcut("layoutCharts", () => onLayout("charts"));
  const choice = (value: Layout, name: string, icon: ReactNode) => ({
    value,
    label: narrow ? (
      name
    ) : (
      <span title={name} style={{ display: "grid", placeItems: "center", minHeight: 20 }}>
        {icon}
        <VisuallyHidden>{name}</VisuallyHidden>
      </span>
    ),
  });
  return (
    <SegmentedControl
      size="xs"
      fullWidth={narrow}
      aria-label={t`Layout`}
      value={layout}
      onChange={(value) => onLayout(value as Layout)}
      data={[
        choice("table", t`Table`, <IconTable size={16} aria-hidden />),
        ...(narrow
          ? []
          : [choice("split", t`Table and charts`, <IconLayoutColumns size={16} aria-hidden />)]),
        choice("charts", t`Charts`, <IconChartLine size={16} aria-hidden />),
      ]}
    />
  );
}
