import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import {
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClockExclamation,
} from "@tabler/icons-react";
import type { ComponentType, CSSProperties } from "react";
import type { Sensor } from "@/api/generated/models/sensor";
import classes from "./Sensors.module.css";

type Look = {
  label: MessageDescriptor;
  icon: ComponentType<{ size: number; "aria-hidden": boolean }>;
  tone: string;
};

export const healthLooks: Record<Sensor["health"], Look> = {
  online: { label: msg`Online`, icon: IconCircleCheck, tone: "--rb-succeeded" },
  delayed: { label: msg`Delayed`, icon: IconClockExclamation, tone: "--rb-interrupted" },
  offline: { label: msg`Offline`, icon: IconCircleX, tone: "--rb-failed" },
  never: { label: msg`Nothing yet`, icon: IconCircleDashed, tone: "--rb-quiet" },
};

/** How a sensor is, by shape, word and colour: judged by when its data arrived, not by its own clock. */
export function HealthBadge({ health }: { health: Sensor["health"] }) {
  const { t } = useLingui();
  const { label, icon: Icon, tone } = healthLooks[health];
  return (
    <span className={classes.health} style={{ "--tone": `var(${tone})` } as CSSProperties}>
      <Icon size={15} aria-hidden />
      {t(label)}
    </span>
  );
}
