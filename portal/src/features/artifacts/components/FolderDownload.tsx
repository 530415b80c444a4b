import { useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconFileZip } from "@tabler/icons-react";
import { getGetArchiveUrl } from "@/api/generated/artifacts/artifacts";
import { address } from "@/api/http";

/** A folder of a run, or all its files, as a zip that is made while it is sent. */
export function FolderDownload({ runId, folder }: { runId: string; folder: string }) {
  const { t } = useLingui();
  return (
    <Button
      component="a"
      size="xs"
      variant="default"
      href={address(getGetArchiveUrl(runId, folder ? { prefix: folder } : undefined))}
      download
      leftSection={<IconFileZip size={16} aria-hidden />}
    >
      {folder ? t`Download as zip` : t`All as zip`}
    </Button>
  );
}
