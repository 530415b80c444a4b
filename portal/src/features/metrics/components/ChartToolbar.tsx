import { Trans, useLingui } from "@lingui/react/macro";
import {
  ActionIcon,
  Button,
  Group,
  Popover,
  SegmentedControl,
  Stack,
  Switch,
  TextInput,
  Tooltip,
} from "@mantine/core";
import {
  IconAdjustments,
  IconArrowsHorizontal,
  IconPlayerPause,
  IconPlayerPlay,
  IconSearch,
  IconZoomReset,
} from "@tabler/icons-react";
import { type FormEvent, useEffect, useState } from "react";
import type { PointAxis } from "@/charts/axis";
import type { BandKind } from "@/charts/bands";
import type { LiveRuns } from "../live";
import type { ChartView } from "../view";
import classes from "./MetricPanels.module.css";

type Props = {
  view: ChartView;
  onView: (change: Partial<ChartView>) => void;
  /** Whether lines stand for groups of runs. */
  grouped: boolean;
  state: LiveRuns["state"];
  paused: boolean;
  onPause: (pause: boolean) => void;
};

/** How all charts of the page are looked at. */
export function ChartToolbar({ view, onView, grouped, state, paused, onPause }: Props) {
  const { t } = useLingui();
  const pauseLabel = paused ? t`Go on with live updates` : t`Pause live updates`;
  return (
    <div className={classes.toolbar} role="toolbar" aria-label={t`Charts`}>
      <TextInput
        type="search"
        size="xs"
        className={classes.search}
        aria-label={t`Search metrics`}
        placeholder={t`Search metrics`}
        leftSection={<IconSearch size={15} aria-hidden />}
        value={view.filter}
        onChange={(event) => onView({ filter: event.currentTarget.value })}
      />
      <SegmentedControl
        size="xs"
        aria-label={t`Horizontal axis`}
        value={view.axis}
        onChange={(axis) => onView({ axis: axis as PointAxis, zoom: null, logX: false })}
        data={[
          { value: "step", label: t`Step` },
          { value: "time", label: t`Time` },
          { value: "relative", label: t`Since the start` },
        ]}
      />
      <label className={classes.smoothing}>
        <Trans>Smoothing</Trans>
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={view.smoothing}
          onChange={(event) => onView({ smoothing: event.currentTarget.valueAsNumber })}
        />
        <output>{view.smoothing.toFixed(2)}</output>
      </label>
      <Settings view={view} onView={onView} grouped={grouped} />
      <Group gap={2}>
        {view.axis === "time" ? null : <RangeFields view={view} onView={onView} />}
        <Tooltip label={t`Show everything`}>
          <ActionIcon
            aria-label={t`Show everything`}
            disabled={view.zoom === null}
            onClick={() => onView({ zoom: null })}
          >
            <IconZoomReset size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Group>
      <span className={classes.spacer} />
      {state === "ended" ? null : (
        <Group gap="xs" wrap="nowrap">
          <LiveState state={state} paused={paused} />
          <Tooltip label={pauseLabel}>
            <ActionIcon aria-label={pauseLabel} onClick={() => onPause(!paused)}>
              {paused ? (
                <IconPlayerPlay size={18} aria-hidden />
              ) : (
                <IconPlayerPause size={18} aria-hidden />
              )}
            </ActionIcon>
          </Tooltip>
        </Group>
      )}
    </div>
  );
}

/** What is changed less often: scales, outliers, bands. */
function Settings({ view, onView, grouped }: Pick<Props, "view" | "onView" | "grouped">) {
  const { t } = useLingui();
  const changed = view.logX || view.logY || view.clip;
  return (
    <Popover trapFocus withinPortal>
      <Popover.Target>
        <Button
          size="xs"
          variant={changed ? "light" : "default"}
          leftSection={<IconAdjustments size={16} aria-hidden />}
        >
          <Trans>Scales</Trans>
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm" w="15rem">
          <Switch
            label={t`Log scale`}
            checked={view.logY}
            onChange={(event) => onView({ logY: event.currentTarget.checked })}
          />
          <Switch
            label={t`Log scale of the horizontal axis`}
            checked={view.logX}
            disabled={view.axis === "time"}
            onChange={(event) => onView({ logX: event.currentTarget.checked, zoom: null })}
          />
          <Switch
            label={t`Leave out outliers`}
            description={t`The vertical axis shows 98 % of the values in view.`}
            checked={view.clip}
            onChange={(event) => onView({ clip: event.currentTarget.checked })}
          />
          {grouped ? (
            <div className={classes.band}>
              <Trans>Band around the mean of a group</Trans>
              <SegmentedControl
                size="xs"
                aria-label={t`Band around the mean of a group`}
                fullWidth
                value={view.band}
                onChange={(band) => onView({ band: band as BandKind })}
                data={[
                  { value: "std", label: t`± std` },
                  { value: "range", label: t`min–max` },
                  { value: "none", label: t`None` },
                ]}
              />
            </div>
          ) : null}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

function LiveState({ state, paused }: { state: LiveRuns["state"]; paused: boolean }) {
  const { t } = useLingui();
  const words = {
    open: t`Live`,
    connecting: t`Connecting…`,
    reconnecting: t`Reconnecting…`,
    resting: t`Resting`,
    ended: "",
  };
  return (
    <span role="status" className={classes.live} data-state={paused ? "paused" : state}>
      {paused ? t`Paused` : words[state]}
    </span>
  );
}

/** The zoom in numbers, for those who do not drag. */
function RangeFields({ view, onView }: Pick<Props, "view" | "onView">) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  useEffect(() => {
    setFrom(view.zoom ? String(Number(view.zoom[0].toPrecision(6))) : "");
    setTo(view.zoom ? String(Number(view.zoom[1].toPrecision(6))) : "");
  }, [view.zoom]);
  const range: [number, number] = [numberIn(from), numberIn(to)];
  const valid = range[0] < range[1];
  const unit = view.axis === "step" ? t`steps` : t`seconds since the start`;

  function apply(event: FormEvent): void {
    event.preventDefault();
    if (!valid) return;
    onView({ zoom: range });
    setOpen(false);
  }

  return (
    <Popover opened={open} onChange={setOpen} trapFocus withinPortal>
      <Popover.Target>
        <Tooltip label={t`Choose the range`}>
          <ActionIcon aria-label={t`Choose the range`} onClick={() => setOpen(!open)}>
            <IconArrowsHorizontal size={18} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={apply}>
          <Stack gap="xs" w="14rem">
            <TextInput
              size="xs"
              inputMode="decimal"
              label={t`From (${unit})`}
              value={from}
              onChange={(event) => setFrom(event.currentTarget.value)}
            />
            <TextInput
              size="xs"
              inputMode="decimal"
              label={t`To (${unit})`}
              value={to}
              onChange={(event) => setTo(event.currentTarget.value)}
            />
            <Button type="submit" size="xs" disabled={!valid}>
              <Trans>Show this range</Trans>
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

/** A number as typed in either language; NaN where it is none. */
export function numberIn(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text.trim().replace(",", "."));
}
