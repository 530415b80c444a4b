import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import {
  IconArchive,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconLoader2,
  IconPlugConnectedX,
} from "@tabler/icons-react";
import type { ComponentType, CSSProperties } from "react";
import classes from "@/ui/StatusBadge.module.css";

export type Status = "draft" | "running" | "succeeded" | "failed" | "interrupted" | "archived";

type Look = {
  label: MessageDescriptor;
  icon: ComponentType<{ size: number; "aria-hidden": boolean }>;
  tone: string;
};

export const statusLooks: Record<Status, Look> = {
  draft: { label: msg`Draft`, icon: IconCircleDashed, tone: "--rb-quiet" },
  running: { label: msg`Running`, icon: IconLoader2, tone: "--rb-running" },
  succeeded: { label: msg`Succeeded`, icon: IconCircleCheck, tone: "--rb-succeeded" },
  failed: { label: msg`Failed`, icon: IconCircleX, tone: "--rb-failed" },
  interrupted: { label: msg`Interrupted`, icon: IconPlugConnectedX, tone: "--rb-interrupted" },
  archived: { label: msg`Archived`, icon: IconArchive, tone: "--rb-quiet" },
};

/** A status by shape, word and colour, never by colour alone. */
export function StatusBadge({ status }: { status: Status }) {
  const { t } = useLingui();
  const { label, icon: Icon, tone } = statusLooks[status];
  return (
    <span
      className={status === "running" ? `${classes.badge} ${classes.running}` : classes.badge}
      style={{ "--tone": `var(${tone})` } as CSSProperties}
    >
      <Icon size={15} aria-hidden />
      {t(label)}
    </span>
  );
}
