import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Menu } from "@mantine/core";
import { IconFileExport } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { readAnswer } from "@/api/files";
import { getExportComparisonUrl } from "@/api/generated/comparisons/comparisons";
import type { ComparisonExport } from "@/api/generated/models/comparisonExport";
import { download } from "@/charts/export";
import { announceFailure } from "@/ui/notices";

type Format = ComparisonExport["format"];

/** The comparison as a file: tables, everything, or a report that needs nothing beside it. */
export function ExportComparison({ asked }: { asked: Omit<ComparisonExport, "format"> }) {
  const { t } = useLingui();
  const fetching = useMutation({
    mutationFn: (format: Format) => readAnswer(getExportComparisonUrl(), { ...asked, format }),
    onSuccess: (file, format) => download(file, `comparison.${format}`),
    onError: (error) => announceFailure(t`The file could not be made`, error),
  });
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <Button
          size="xs"
          variant="default"
          loading={fetching.isPending}
          leftSection={<IconFileExport size={15} aria-hidden />}
        >
          <Trans>Export</Trans>
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => fetching.mutate("html")}>{t`Report (HTML)`}</Menu.Item>
        <Menu.Item onClick={() => fetching.mutate("csv")}>{t`Tables (CSV)`}</Menu.Item>
        <Menu.Item onClick={() => fetching.mutate("json")}>{t`Everything (JSON)`}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
