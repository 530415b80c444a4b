import type { ReactNode } from "react";
import classes from "@/ui/TwoColumns.module.css";

type Props = { children: ReactNode; side: ReactNode };

/** The main matter, and a narrow column beside it that moves below on small screens. */
export function TwoColumns({ children, side }: Props) {
  return (
    <div className={classes.columns}>
      <div className={classes.stack}>{children}</div>
      <div className={classes.stack}>{side}</div>
    </div>
  );
}
