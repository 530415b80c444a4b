import { Trans } from "@lingui/react/macro";
import type { Shown } from "../channels";
import classes from "./Telemetry.module.css";

/** Says whether a chart shows raw or physical values, and by which versions of profiles these were made. */
export function ShownValues({ values, versions }: { values: Shown; versions: string }) {
  if (values === "raw") {
    return (
      <span className={classes.shown}>
        <Trans>Raw</Trans>
      </span>
    );
  }
  return (
    <span className={classes.shown}>
      {versions ? <Trans>Physical, profile {versions}</Trans> : <Trans>Physical</Trans>}
    </span>
  );
}
