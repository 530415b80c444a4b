import { useLingui } from "@lingui/react/macro";
import { Badge } from "@mantine/core";
import type { Profile } from "@/api/generated/models/profile";

export function ProfileStateBadge({ state }: { state: Profile["state"] }) {
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
