import { Group, Title } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "@/ui/EmptyState.module.css";

type Props = {
  icon: ReactNode;
  title: string;
  /** What to do next, in a sentence. */
  children: ReactNode;
  /** 1 where the state is the whole page. */
  titleOrder?: 1 | 2 | 3;
  actions?: ReactNode;
  /** Wider content under the text: a snippet to paste. */
  more?: ReactNode;
};

export function EmptyState({ icon, title, titleOrder = 3, children, actions, more }: Props) {
  return (
    <div className={classes.state}>
      <div className={classes.icon} aria-hidden>
        {icon}
      </div>
      <Title order={titleOrder}>{title}</Title>
      <p className={classes.text}>{children}</p>
      {actions ? (
        <Group gap="xs" justify="center">
          {actions}
        </Group>
      ) : null}
      {more ? <div className={classes.more}>{more}</div> : null}
    </div>
  );
}
