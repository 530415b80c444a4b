import { Group, Title } from "@mantine/core";
import { type ReactNode, useEffect } from "react";
import classes from "@/ui/PageHeader.module.css";

type Props = {
  title: string;
  /** One sentence under the title. */
  lead?: ReactNode;
  /** Status or other small things beside the title. */
  badge?: ReactNode;
  /** Buttons at the end of the row. */
  actions?: ReactNode;
};

/** The page's only `h1`; names the browser tab too. */
export function PageHeader({ title, lead, badge, actions }: Props) {
  useEffect(() => {
    document.title = `${title} · Runbench`;
  }, [title]);
  return (
    <header className={classes.header}>
      <div className={classes.words}>
        <Group gap="sm" align="center">
          <Title order={1} className={classes.title}>
            {title}
          </Title>
          {badge}
        </Group>
        {lead ? <p className={classes.lead}>{lead}</p> : null}
      </div>
      {actions ? <Group gap="xs">{actions}</Group> : null}
    </header>
  );
}
