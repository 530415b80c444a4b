import { Plural, useLingui } from "@lingui/react/macro";
import type { Project } from "@/api/generated/models/project";
import { CopyButton } from "@/ui/CopyButton";
import { Facts } from "@/ui/Facts";
import { roleNames } from "@/ui/roles";
import { TimeText } from "@/ui/TimeText";
import classes from "./ProjectFacts.module.css";

export function ProjectFacts({ project }: { project: Project }) {
  const { t } = useLingui();
  return (
    <Facts
      facts={[
        [
          t`Address`,
          <span key="slug" className={classes.copied}>
            <span className="rb-mono">{project.slug}</span>
            <CopyButton text={project.slug} label={t`Copy the address`} />
          </span>,
        ],
        [t`Your role`, t(roleNames[project.role])],
        [
          t`People`,
          <Plural key="people" value={project.member_count} one="# member" other="# members" />,
        ],
        [t`Created`, <TimeText key="created" at={project.created_at} as="date" />],
        [
          t`Id`,
          <span key="id" className={classes.copied}>
            <span className="rb-mono">{project.id.slice(0, 8)}…</span>
            <CopyButton text={project.id} label={t`Copy the id`} />
          </span>,
        ],
      ]}
    />
  );
}
