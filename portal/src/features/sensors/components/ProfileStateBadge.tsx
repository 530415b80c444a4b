import { useLingui } from "@lingui/react/macro";
import { Badge } from "@mantine/core";
import type { ConversionProfile } from "@/api/generated/models/conversionProfile";

export function ProfileStateBadge({ state }: { state: ConversionProfile["state"] }) {
  const { t } = useLingui();
  const names = {
    draft: t`Draft`,
    scheduled: t`Scheduled`,
    active: t`Active`,
    retired: t`Retired`,
  };
  return (
    <Badge size="sm" variant={state === "active" ? "light" : "default"}>
      {names[state]}
    </Badge>
  );
}
