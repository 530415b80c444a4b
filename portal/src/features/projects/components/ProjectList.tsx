import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Badge, Button, Center } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Project } from "@/api/generated/models/project";
import { roleNames } from "@/ui/roles";
import { TimeText } from "@/ui/TimeText";
import classes from "./ProjectList.module.css";

type Props = { projects: Project[]; onMore?: () => void; loadingMore?: boolean };

export function ProjectList({ projects, onMore, loadingMore }: Props) {
  const { t } = useLingui();
  return (
    <>
      <ul className={classes.list}>
        {projects.map((project) => (
          <li key={project.id} className={classes.row}>
            <span>
              <Link to="/p/$project" params={{ project: project.slug }} className={classes.name}>
                {project.name}
              </Link>{" "}
              {project.archived_at ? (
                <Badge size="sm" variant="default">
                  <Trans>Archived</Trans>
                </Badge>
              ) : null}
            </span>
            <span className={classes.about}>
              {firstLine(project.description) || <span className="rb-mono">{project.slug}</span>}
            </span>
            <span className={classes.facts}>
              <span>{t(roleNames[project.role])}</span>
              <span>
                <Plural value={project.member_count} one="# member" other="# members" />
              </span>
              <span>
                <Trans>
                  created <TimeText at={project.created_at} as="date" />
                </Trans>
              </span>
            </span>
          </li>
        ))}
      </ul>
      {onMore ? (
        <Center p="sm">
          <Button variant="default" size="xs" loading={loadingMore} onClick={onMore}>
            <Trans>Show more</Trans>
          </Button>
        </Center>
      ) : null}
    </>
  );
}

/** The first words of a Markdown text, without its marks. */
function firstLine(markdown: string): string {
  const line = markdown.split("\n").find((text) => text.trim() !== "") ?? "";
  return line.replace(/^[#>\s*-]+/, "").replace(/[*_`]/g, "");
}
