import { useLingui } from "@lingui/react/macro";
import { ActionIcon, SegmentedControl, Select, Tooltip } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { type TelemetrySearch, type Values, windows } from "../channels";
import type { LiveSignals } from "../live";
import classes from "./Telemetry.module.css";

type Props = {
  search: TelemetrySearch;
  onSearch: (change: Partial<TelemetrySearch>) => void;
  /** Left out where what is shown does not move. */
  live?: {
    state: LiveSignals["state"];
    paused: boolean;
    onPause: (pause: boolean) => void;
  };
  children?: ReactNode;
};

/** How all charts of the page are looked at. */
export function ViewToolbar({ search, onSearch, live, children }: Props) {
  const { t } = useLingui();
  const names: Record<number, string> = {
    5: t`5 s`,
    10: t`10 s`,
    30: t`30 s`,
    60: t`1 min`,
    300: t`5 min`,
    900: t`15 min`,
    3600: t`1 h`,
  };
  const pauseLabel = live?.paused ? t`Go on with live updates` : t`Pause live updates`;
  return (
    <div className={classes.toolbar} role="toolbar" aria-label={t`Charts`}>
      {live ? (
        <Select
          size="xs"
          w="6.5rem"
          aria-label={t`Window of time`}
          allowDeselect={false}
          data={windows.map((seconds) => ({
            value: String(seconds),
            label: names[seconds] ?? String(seconds),
          }))}
          value={String(search.window ?? 60)}
          onChange={(value) => onSearch({ window: Number(value) as TelemetrySearch["window"] })}
        />
      ) : null}
      <SegmentedControl
        size="xs"
        aria-label={t`Values`}
        value={search.values ?? "physical"}
        onChange={(values) => onSearch({ values: values as Values })}
        data={[
          { value: "physical", label: t`Physical` },
          { value: "raw", label: t`Raw` },
          { value: "both", label: t`Both` },
        ]}
      />
      <SegmentedControl
        size="xs"
        aria-label={t`A chart for each`}
        value={search.by ?? "signal"}
        onChange={(by) => onSearch({ by: by as "unit" | "signal", order: undefined })}
        data={[
          { value: "signal", label: t`Signal` },
          { value: "unit", label: t`Unit` },
        ]}
      />
      <span className={classes.spacer} />
      {children}
      {live ? (
        <>
          <StreamState state={live.state} paused={live.paused} />
          <Tooltip label={pauseLabel}>
            <ActionIcon aria-label={pauseLabel} onClick={() => live.onPause(!live.paused)}>
              {live.paused ? (
                <IconPlayerPlay size={18} aria-hidden />
              ) : (
                <IconPlayerPause size={18} aria-hidden />
              )}
            </ActionIcon>
          </Tooltip>
        </>
      ) : null}
    </div>
  );
}

export function StreamState({ state, paused }: { state: LiveSignals["state"]; paused: boolean }) {
  const { t } = useLingui();
  const shown = paused ? "paused" : state === "open" ? "live" : "waiting";
  const word = {
    paused: t`Paused`,
    live: t`Live`,
    waiting: state === "reconnecting" ? t`Reconnecting…` : t`Connecting…`,
  }[shown];
  return (
    <span className={classes.state} data-state={shown} role="status">
      {word}
    </span>
  );
}
