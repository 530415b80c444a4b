/** What stands in the left rail, in order. A new page of a project adds its line here. */

import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import {
  IconBell,
  IconFlask,
  IconGauge,
  IconHistory,
  IconKey,
  IconLayoutDashboard,
  IconPlayerPlay,
  IconScale,
  IconSettings,
  IconUsers,
  IconWebhook,
} from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { ComponentType } from "react";
import type { Role } from "@/api/generated/models/role";
import type { ShortcutId } from "@/ui/shortcut-catalogue";

export type Icon = ComponentType<{ size?: number; stroke?: number; "aria-hidden"?: boolean }>;

export type ProjectPage = {
  to: Extract<LinkProps["to"], `/p/$project${string}`>;
  label: MessageDescriptor;
  icon: Icon;
  shortcut?: ShortcutId;
  /** The overview is a prefix of every other page, so it must match exactly to count as current. */
  exact?: boolean;
  /** Only these roles see it; everyone when missing. */
  roles?: readonly Role[];
};

export const projectPages: readonly ProjectPage[] = [
  {
    to: "/p/$project",
    label: msg`Overview`,
    icon: IconLayoutDashboard,
    shortcut: "goProject",
    exact: true,
  },
  {
    to: "/p/$project/x",
    label: msg`Experiments`,
    icon: IconFlask,
    shortcut: "goExperiments",
  },
  { to: "/p/$project/runs", label: msg`Runs`, icon: IconPlayerPlay, shortcut: "goRuns" },
  { to: "/p/$project/compare", label: msg`Compare`, icon: IconScale },
  { to: "/p/$project/sensors", label: msg`Sensors`, icon: IconGauge, shortcut: "goSensors" },
  { to: "/p/$project/members", label: msg`Members`, icon: IconUsers, shortcut: "goMembers" },
  { to: "/p/$project/tokens", label: msg`API tokens`, icon: IconKey, shortcut: "goTokens" },
  { to: "/p/$project/notifications", label: msg`Notifications`, icon: IconBell },
  { to: "/p/$project/webhooks", label: msg`Webhooks`, icon: IconWebhook, roles: ["owner"] },
  { to: "/p/$project/settings", label: msg`Settings`, icon: IconSettings, shortcut: "goSettings" },
  { to: "/p/$project/audit", label: msg`Audit`, icon: IconHistory, roles: ["owner"] },
];
