import { Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "@/ui/Panel.module.css";

type Props = {
  title?: string;
  lead?: ReactNode;
  actions?: ReactNode;
  /** No padding, for tables that fill the panel. */
  flush?: boolean;
  /** Title at the side of the content on wide screens, for pages of forms. */
  split?: boolean;
  children: ReactNode;
};

/** A titled area of a page. */
export function Panel({ title, lead, actions, flush = false, split = false, children }: Props) {
  const id = useId();
  return (
    <section
      className={split ? `${classes.panel} ${classes.split}` : classes.panel}
      aria-labelledby={title ? id : undefined}
    >
      {title || actions ? (
        <div className={classes.head}>
          <div className={classes.words}>
            {title ? (
              <Title order={2} id={id}>
                {title}
              </Title>
            ) : null}
            {lead ? <p className={classes.lead}>{lead}</p> : null}
          </div>
          {actions}
        </div>
      ) : null}
      <div className={flush ? classes.flush : classes.body}>{children}</div>
    </section>
  );
}
