import { useLingui } from "@lingui/react/macro";
import { ActionIcon, TextInput, Tooltip } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import type { NewSignal } from "@/api/generated/models/newSignal";
import classes from "./Sensors.module.css";

/** A signal as it is typed. */
export type SignalDraft = {
  key: number;
  name: string;
  input: string;
  display: string;
  rate: string;
};

let made = 0;

export function emptySignal(): SignalDraft {
  made += 1;
  return { key: made, name: "", input: "", display: "", rate: "" };
}

/** What is asked for; the server says what of it is wrong. */
export function signalFrom({ name, input, display, rate }: SignalDraft): NewSignal {
  return {
    name: name.trim(),
    input_unit: input.trim() || null,
    display_unit: display.trim() || null,
    expected_rate_hz: rate.trim() ? Number(rate.replace(",", ".")) : null,
  };
}

type Props = {
  signal: SignalDraft;
  /** Its place among the signals, from 1: names its fields. */
  number: number;
  onChange: (signal: SignalDraft) => void;
  onRemove?: () => void;
};

export function SignalFields({ signal, number, onChange, onRemove }: Props) {
  const { t } = useLingui();
  const field = (key: "name" | "input" | "display" | "rate") => ({
    size: "xs" as const,
    autoComplete: "off",
    value: signal[key],
    onChange: (event: { currentTarget: { value: string } }) =>
      onChange({ ...signal, [key]: event.currentTarget.value }),
  });
  return (
    <div className={classes.signal}>
      <TextInput label={t`Signal ${number}`} placeholder="temperature" {...field("name")} />
      <TextInput label={t`Raw unit`} placeholder="V" {...field("input")} />
      <TextInput label={t`Physical unit`} placeholder="°C" {...field("display")} />
      <TextInput label={t`Rate, Hz`} placeholder="10" inputMode="decimal" {...field("rate")} />
      {onRemove ? (
        <Tooltip label={t`Remove signal ${number}`}>
          <ActionIcon aria-label={t`Remove signal ${number}`} onClick={onRemove}>
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ) : null}
    </div>
  );
}
