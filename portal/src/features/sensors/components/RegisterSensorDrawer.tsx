import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Drawer, Group, Stack, TagsInput, Text, Textarea, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { Sensor } from "@/api/generated/models/sensor";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useProblemText } from "@/ui/problem-text";
import { tagFrom } from "@/ui/Tags";
import { useRegisterSensor } from "../queries";
import classes from "./Sensors.module.css";
import { emptySignal, SignalFields, signalFrom } from "./SignalFields";
import { TokenOnce } from "./TokenOnce";

type Props = {
  projectId: string;
  onClose: () => void;
  /** Somebody has kept the token and wants to see the sensor. */
  onDone: (sensor: Pick<Sensor, "id">) => void;
};

export function RegisterSensorDrawer(props: Props) {
  const { t } = useLingui();
  return (
    <Drawer
      opened
      onClose={props.onClose}
      position="right"
      size="lg"
      title={t`Register a sensor`}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <RegisterSensor {...props} />
    </Drawer>
  );
}

function RegisterSensor({ projectId, onClose, onDone }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const register = useRegisterSensor(projectId);
  // One key for the life of the form: pressing the button again after a lost answer creates nothing twice.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const [signals, setSignals] = useState(() => [emptySignal()]);
  const schema = useMemo(
    () =>
      v.object({
        name: v.pipe(
          v.string(),
          v.trim(),
          v.nonEmpty(t`Give the sensor a name.`),
          v.maxLength(200, t`A name has at most 200 characters.`),
        ),
        type: v.pipe(v.string(), v.trim()),
        description: v.pipe(v.string(), v.trim()),
        tags: v.array(v.string()),
      }),
    [t],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    defaultValues: { name: "", type: "", description: "", tags: [] as string[] },
  });
  const { errors } = form.formState;
  const named = signals.filter(({ name }) => name.trim() !== "");

  if (register.data) {
    const sensor = register.data;
    const { name } = sensor;
    return (
      <Stack gap="md">
        <TokenOnce
          title={t`“${name}” is registered. Copy its token now.`}
          token={sensor.token}
          signal={sensor.signals[0]?.name}
        />
        <Button w="fit-content" onClick={() => onDone(sensor)}>
          <Trans>I have kept it, show the sensor</Trans>
        </Button>
      </Stack>
    );
  }

  const submit = form.handleSubmit(({ name, type, description, tags }) =>
    register.mutate(
      {
        key,
        sensor: {
          name,
          ...(type ? { type } : {}),
          ...(description ? { description } : {}),
          tags: Object.fromEntries(
            tags.flatMap((text) => {
              const tag = tagFrom(text);
              return tag ? [[tag.key, tag.value]] : [];
            }),
          ),
          signals: named.map(signalFrom),
        },
      },
      {
        onError: (error) => {
          setKey(crypto.randomUUID());
          if (placeProblem(form, error, describe, { "sensor-name-taken": "name" })) {
            register.reset();
          }
        },
      },
    ),
  );

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        {register.isError ? <ErrorNotice error={register.error} /> : null}
        <TextInput
          label={t({ message: "Name", context: "of a thing" })}
          data-autofocus
          autoComplete="off"
          placeholder={t`Tunnel inlet`}
          error={errors.name?.message}
          {...form.register("name")}
        />
        <TextInput
          label={t`Kind`}
          description={t`What it is, in a word: thermocouple, IMU, load cell.`}
          error={errors.type?.message}
          {...form.register("type")}
        />
        <Textarea
          label={t`Description`}
          rows={2}
          error={errors.description?.message}
          {...form.register("description")}
        />
        <Controller
          control={form.control}
          name="tags"
          render={({ field }) => (
            <TagsInput
              label={t`Tags`}
              placeholder="rig=A1"
              value={field.value}
              onChange={field.onChange}
            />
          )}
        />
        <fieldset className={classes.signals}>
          <legend>
            <Trans>Signals</Trans>
          </legend>
          <Text size="xs" c="dimmed">
            <Trans>
              What it measures. The raw unit is what it sends; the physical one is what a conversion
              profile makes of it.
            </Trans>
          </Text>
          {signals.map((signal, index) => (
            <SignalFields
              key={signal.key}
              signal={signal}
              number={index + 1}
              onChange={(changed) =>
                setSignals(signals.map((one) => (one.key === changed.key ? changed : one)))
              }
              onRemove={
                signals.length > 1
                  ? () => setSignals(signals.filter(({ key }) => key !== signal.key))
                  : undefined
              }
            />
          ))}
          <Button
            size="compact-sm"
            variant="subtle"
            w="fit-content"
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={() => setSignals([...signals, emptySignal()])}
          >
            <Trans>Another signal</Trans>
          </Button>
        </fieldset>
        <Group>
          <Button type="submit" loading={register.isPending} disabled={named.length === 0}>
            <Trans>Register</Trans>
          </Button>
          <Button variant="default" onClick={onClose}>
            <Trans>Cancel</Trans>
          </Button>
          {named.length === 0 ? (
            <Text size="xs" c="dimmed">
              <Trans>Name at least one signal.</Trans>
            </Text>
          ) : null}
        </Group>
      </Stack>
    </form>
  );
}
