import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Menu } from "@mantine/core";
import { IconFileDownload } from "@tabler/icons-react";
import { address } from "@/api/http";
import { fetchFile } from "@/charts/export";
import type { ExportFormat } from "../queries";

type Props = {
  label: string;
  /** The address of the file in a format. */
  path: (format: ExportFormat) => string;
  size?: "xs" | "compact-xs";
};

/** Takes everything that is stored out, never what a chart has thinned. */
export function ExportMenu({ label, path, size = "xs" }: Props) {
  const { t } = useLingui();
  const names: [ExportFormat, string][] = [
    ["parquet", t`Parquet`],
    ["csv", t`CSV`],
    ["arrow", t`Arrow IPC`],
  ];
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button
          size={size}
          variant="default"
          aria-label={label}
          leftSection={<IconFileDownload size={15} aria-hidden />}
        >
          <Trans>Export</Trans>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {names.map(([format, name]) => (
          <Menu.Item key={format} onClick={() => fetchFile(address(path(format)))}>
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
