import { Trans, useLingui } from "@lingui/react/macro";
import {
  Button,
  Group,
  SegmentedControl,
  Select,
  Stack,
  Switch,
  Textarea,
  TextInput,
} from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { NewConversionProfile } from "@/api/generated/models/newConversionProfile";
import type { ProfileKind } from "@/api/generated/models/profileKind";
import type { Signal } from "@/api/generated/models/signal";
import type { Line } from "@/charts/axis";
import { SeriesChart } from "@/charts/components/SeriesChart";
import { Viewport } from "@/charts/viewport";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { useFormats } from "@/ui/format";
import { useProblemText } from "@/ui/problem-text";
import {
  numberOf,
  type ProfileDraft,
  previewRange,
  profileFrom,
  spread,
  wrongLine,
} from "../profile-draft";
import { convertQuery } from "../queries";
import classes from "./Sensors.module.css";

type Props = {
  initial: ProfileDraft;
  signals: readonly Signal[];
  /** The newest raw value of a signal, which the calculator begins with. */
  lastRaw: (signal: string) => number | null;
  /** A draft that is changed keeps its signal. */
  fixedSignal: boolean;
  busy: boolean;
  error: unknown;
  onSave: (profile: NewConversionProfile) => void;
  onClose: () => void;
};

/** A profile's parameters beside what they do: a curve of raw against physical, and a calculator. */
export function ProfileEditor(props: Props) {
  const { initial, signals, lastRaw, busy, error, onSave, onClose } = props;
  const { t } = useLingui();
  const describe = useProblemText();
  const [draft, setDraft] = useState(initial);
  const profile = useMemo(() => profileFrom(draft), [draft]);
  const set = (change: Partial<ProfileDraft>) => setDraft({ ...draft, ...change });
  const text = (key: "a" | "b" | "coefficients" | "unit" | "note") => ({
    autoComplete: "off",
    value: draft[key],
    onChange: (event: { currentTarget: { value: string } }) =>
      set({ [key]: event.currentTarget.value }),
  });
  const wrong = wrongLine(draft.table);
  const noNumber = t`This is no number.`;
  const last = lastRaw(draft.signal);
  return (
    <form
      className={classes.editor}
      onSubmit={(event) => {
        event.preventDefault();
        if (profile) onSave(profile);
      }}
    >
      <Stack gap="sm">
        {error ? <ErrorNotice title={describe(error)} error={error} /> : null}
        <Select
          label={t`Signal`}
          allowDeselect={false}
          disabled={props.fixedSignal}
          data={signals.map(({ name }) => name)}
          value={draft.signal}
          onChange={(signal) => {
            const unit = signals.find(({ name }) => name === signal)?.display_unit;
            if (signal) set({ signal, unit: unit ?? draft.unit });
          }}
        />
        <SegmentedControl
          aria-label={t`Kind`}
          value={draft.kind}
          onChange={(kind) => set({ kind: kind as ProfileKind })}
          data={[
            { value: "linear", label: t`Linear` },
            { value: "polynomial", label: t`Polynomial` },
            { value: "lookup_table", label: t`Table` },
          ]}
        />
        {draft.kind === "linear" ? (
          <div className={classes.pair}>
            <TextInput
              label={t`Slope a`}
              description={t`physical = a · raw + b`}
              inputMode="decimal"
              error={numberOf(draft.a) === null ? noNumber : undefined}
              {...text("a")}
            />
            <TextInput
              label={t`Offset b`}
              description={" "}
              inputMode="decimal"
              error={numberOf(draft.b) === null ? noNumber : undefined}
              {...text("b")}
            />
          </div>
        ) : null}
        {draft.kind === "polynomial" ? (
          <TextInput
            label={t`Coefficients`}
            description={t`Lowest power first, with blanks or semicolons between: c₀ c₁ c₂ …`}
            error={profile ? undefined : t`Only numbers, with blanks or semicolons between.`}
            {...text("coefficients")}
          />
        ) : null}
        {draft.kind === "lookup_table" ? (
          <>
            <Textarea
              label={t`Table`}
              description={t`One pair a line, raw then physical; between them the line is straight.`}
              rows={7}
              classNames={{ input: "rb-mono" }}
              spellCheck={false}
              error={wrong > 0 ? t`Line ${wrong} is not a pair of numbers.` : undefined}
              value={draft.table}
              onChange={(event) => set({ table: event.currentTarget.value })}
            />
            <Switch
              label={t`Hold the last value beyond the ends`}
              description={t`Otherwise what lies outside the table is not converted, and says so.`}
              checked={draft.clamped}
              onChange={(event) => set({ clamped: event.currentTarget.checked })}
            />
          </>
        ) : null}
        <TextInput label={t`Physical unit`} placeholder="°C" {...text("unit")} />
        <TextInput
          label={t`Note`}
          placeholder={t`Certificate, who calibrated it, when`}
          {...text("note")}
        />
        <Group gap="xs">
          <Button type="submit" loading={busy} disabled={!profile}>
            <Trans>Save the draft</Trans>
          </Button>
          <Button variant="default" onClick={onClose}>
            <Trans>Cancel</Trans>
          </Button>
        </Group>
      </Stack>
      <Preview draft={draft} profile={profile} last={last} />
    </form>
  );
}

type PreviewProps = {
  draft: ProfileDraft;
  profile: NewConversionProfile | null;
  last: number | null;
};

function Preview({ draft, profile, last }: PreviewProps) {
  const { t } = useLingui();
  const formats = useFormats();
  const describe = useProblemText();
  const [raw, setRaw] = useState(last === null ? "5" : String(Number(last.toPrecision(6))));
  const [maximised, setMaximised] = useState(false);
  const [zoom, setZoom] = useState<readonly [number, number] | null>(null);
  const [viewport] = useState(() => new Viewport(null));
  useEffect(() => {
    viewport.onRest = setZoom;
  }, [viewport]);
  const [low, high] = previewRange(draft, last);
  const values = useMemo(() => spread([low, high]), [low, high]);
  const [settled] = useDebouncedValue(profile, 200);
  const asked = useMemo(
    () => settled && { kind: settled.kind, parameters: settled.parameters },
    [settled],
  );
  const curve = useQuery(convertQuery(asked, values));
  const typed = numberOf(raw);
  const one = useQuery(convertQuery(asked, typed === null ? [] : [typed]));
  const items = curve.data?.items;
  const lines = useMemo<Line[]>(() => {
    const known = items ?? [];
    return [
      {
        id: "profile",
        label: t`physical`,
        x: known.map((item) => item.raw),
        y: known.map((item) => item.physical ?? Number.NaN),
      },
    ];
  }, [items, t]);
  const result = typed === null ? undefined : one.data?.items[0];
  const count = lines[0]?.x.length ?? 0;
  const reasons: Record<string, string> = {
    out_of_table: t`It lies outside the table.`,
    overflow: t`The result is too large for a number.`,
    not_a_number: t`It is no number.`,
  };
  const failed = curve.error ?? one.error;
  return (
    <Stack gap="sm">
      <SeriesChart
        title={t`Raw against physical`}
        lines={lines}
        description={t`the profile as it is typed`}
        axis="value"
        logX={false}
        logY={false}
        smoothing={0}
        viewport={viewport}
        zoom={zoom}
        onView={() => undefined}
        fixed={null}
        clip={false}
        fullness={{ shown: count, stored: count, exact: true }}
        averaged={false}
        live={false}
        asleep={false}
        legend={false}
        maximised={maximised}
        onMaximise={setMaximised}
        group="profile"
      />
      {failed ? (
        <p className={`${classes.result} ${classes.reason}`} role="alert">
          {describe(failed)}
        </p>
      ) : null}
      <Group align="end" gap="sm">
        <TextInput
          label={t`Calculator: a raw value`}
          inputMode="decimal"
          autoComplete="off"
          value={raw}
          onChange={(event) => setRaw(event.currentTarget.value)}
        />
        <p className={classes.result} role="status">
          {result === undefined ? null : result.physical === null ? (
            <span className={classes.reason}>
              {reasons[result.reason ?? ""] ?? t`It cannot be converted.`}
            </span>
          ) : (
            <>
              → <strong>{formats.number(result.physical)}</strong> {draft.unit}
            </>
          )}
        </p>
      </Group>
    </Stack>
  );
}
