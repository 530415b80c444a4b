import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { Tooltip } from "@mantine/core";
import {
  IconFolders,
  IconHistory,
  IconHome,
  IconLayoutSidebarLeftCollapse,
  IconLayoutSidebarLeftExpand,
  IconUserShield,
} from "@tabler/icons-react";
import { Link, type LinkProps } from "@tanstack/react-router";
import type { Project } from "@/api/generated/models/project";
import { type Icon, projectPages } from "@/app/shell/navigation";
import classes from "@/app/shell/Shell.module.css";
import { useUser } from "@/app/user";
import { setPreferences, usePreferences } from "@/ui/preferences";

export function Rail({ project }: { project: Project | null }) {
  const { t } = useLingui();
  const { railPinned } = usePreferences();
  const label = railPinned ? t`Narrow the rail` : t`Widen the rail`;
  const Toggle = railPinned ? IconLayoutSidebarLeftCollapse : IconLayoutSidebarLeftExpand;
  return (
    <nav className={classes.rail} aria-label={t`Main`}>
      <RailContents project={project} wide={railPinned} />
      <div className={classes.railFoot}>
        <Tooltip label={label} position="right" disabled={railPinned}>
          <button
            type="button"
            className={classes.item}
            aria-label={label}
            onClick={() => setPreferences({ railPinned: !railPinned })}
          >
            <Toggle size={18} stroke={1.6} aria-hidden />
            {railPinned ? label : null}
          </button>
        </Tooltip>
      </div>
    </nav>
  );
}

type ContentsProps = { project: Project | null; wide: boolean };

export function RailContents({ project, wide }: ContentsProps) {
  const { t } = useLingui();
  const user = useUser();
  const pages = projectPages.filter(
    ({ roles }) => !roles || (project && roles.includes(project.role)),
  );
  return (
    <>
      <RailLink wide={wide} to="/" exact label={msg`Home`} icon={IconHome} />
      <RailLink wide={wide} to="/p" exact label={msg`Projects`} icon={IconFolders} />
      {project ? (
        <>
          <p className={classes.heading}>{project.name}</p>
          {pages.map((page) => (
            <RailLink key={page.to} wide={wide} params={{ project: project.slug }} {...page} />
          ))}
        </>
      ) : null}
      {user.is_admin ? (
        <>
          <p className={classes.heading}>{t`Administration`}</p>
          <RailLink wide={wide} to="/admin/users" label={msg`Users`} icon={IconUserShield} />
          <RailLink wide={wide} to="/admin/audit" label={msg`Audit`} icon={IconHistory} />
        </>
      ) : null}
    </>
  );
}

type RailLinkProps = {
  to: LinkProps["to"];
  params?: { project: string };
  label: MessageDescriptor;
  icon: Icon;
  exact?: boolean;
  wide: boolean;
};

function RailLink({ to, params, label, icon: Mark, exact = false, wide }: RailLinkProps) {
  const { t } = useLingui();
  const name = t(label);
  return (
    <Tooltip label={name} position="right" disabled={wide}>
      <Link
        to={to}
        params={params as never}
        className={classes.item}
        activeOptions={{ exact, includeSearch: false }}
        aria-label={wide ? undefined : name}
      >
        <Mark size={18} stroke={1.6} aria-hidden />
        {wide ? name : null}
      </Link>
    </Tooltip>
  );
}
