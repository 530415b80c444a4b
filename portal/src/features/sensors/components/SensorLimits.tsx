import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { Sensor } from "@/api/generated/models/sensor";
import type { SensorWatch } from "@/api/generated/models/sensorWatch";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { announceFailure } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { useProblemText } from "@/ui/problem-text";
import { sensorWatchesQuery, useSensorWatchChanges } from "../limits";

type Props = { sensor: Sensor; canEdit: boolean };
type Values = {
  signal: string;
  direction: "above" | "below";
  threshold: string;
  rearm_at: string;
};

/** Limits on the sensor's signals, and a form for one more. */
export function SensorLimits({ sensor, canEdit }: Props) {
  const { t } = useLingui();
  const watches = useQuery(sensorWatchesQuery(sensor.id));
  const { remove } = useSensorWatchChanges(sensor.id);
  return (
    <Panel
      title={t`Limits`}
      lead={
        <Trans>
          Whoever wants to hear of it is told when a reading crosses one, and again only after a
          value was back. Physical values where there is a profile.
        </Trans>
      }
    >
      <Stack gap="md">
        {watches.isError ? (
          <ErrorNotice
            title={t`The limits could not be loaded`}
            error={watches.error}
            onRetry={() => void watches.refetch()}
          />
        ) : null}
        {watches.data?.length === 0 ? (
          <Text size="sm" c="dimmed">
            <Trans>No limit is set.</Trans>
          </Text>
        ) : null}
        {watches.data?.map((watch) => (
          <Group key={watch.id} justify="space-between" wrap="nowrap">
            <Text size="sm" className="rb-mono">
              {inSigns(watch)}
              {watch.rearm_at === null ? null : ` (${t`back at ${watch.rearm_at}`})`}
            </Text>
            {canEdit ? (
              <Button
                size="xs"
                variant="subtle"
                color="gray"
                flex="none"
                aria-label={t`Forget ${inSigns(watch)}`}
                loading={remove.isPending && remove.variables === watch.id}
                onClick={() =>
                  remove.mutate(watch.id, {
                    onError: (error) => announceFailure(t`The limit is still there`, error),
                  })
                }
              >
                <Trans>Forget</Trans>
              </Button>
            ) : null}
          </Group>
        ))}
        {canEdit && sensor.signals.length > 0 ? <NewLimit sensor={sensor} /> : null}
      </Stack>
    </Panel>
  );
}

function NewLimit({ sensor }: { sensor: Sensor }) {
  const { t } = useLingui();
  const describe = useProblemText();
  const { add } = useSensorWatchChanges(sensor.id);
  const [key, setKey] = useState(() => crypto.randomUUID());
  const schema = useMemo(() => {
    const isNumber = (text: string) => Number.isFinite(Number(text.replace(",", ".")));
    return v.object({
      signal: v.string(),
      direction: v.picklist(["above", "below"]),
      threshold: v.pipe(
        v.string(),
        v.trim(),
        v.check((text) => text !== "" && isNumber(text), t`A limit is a number.`),
      ),
      rearm_at: v.pipe(v.string(), v.trim(), v.check(isNumber, t`A limit is a number.`)),
    });
  }, [t]);
  const form = useForm<Values>({
    resolver: valibotResolver(schema),
    defaultValues: {
      signal: sensor.signals[0]?.name ?? "",
      direction: "above",
      threshold: "",
      rearm_at: "",
    },
  });
  const { errors } = form.formState;
  const number = (text: string) => Number(text.replace(",", "."));
  const submit = form.handleSubmit((given) =>
    add.mutate(
      {
        key,
        watch: {
          ...given,
          threshold: number(given.threshold),
          rearm_at: given.rearm_at ? number(given.rearm_at) : null,
        },
      },
      {
        onSuccess: () => form.reset(),
        onError: (error) => {
          if (placeProblem(form, error, describe)) add.reset();
        },
        onSettled: () => setKey(crypto.randomUUID()),
      },
    ),
  );
  return (
    <form noValidate onSubmit={submit}>
      {add.isError ? <ErrorNotice error={add.error} /> : null}
      <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
        <Controller
          control={form.control}
          name="signal"
          render={({ field }) => (
            <Select
              label={t`Signal`}
              value={field.value}
              allowDeselect={false}
              onChange={field.onChange}
              data={sensor.signals.map(({ name, title }) => ({
                value: name,
                label: title || name,
              }))}
              error={errors.signal?.message}
            />
          )}
        />
        <Controller
          control={form.control}
          name="direction"
          render={({ field }) => (
            <Select
              label={t`Told when it is`}
              value={field.value}
              allowDeselect={false}
              onChange={field.onChange}
              data={[
                { value: "above", label: t`above` },
                { value: "below", label: t`below` },
              ]}
            />
          )}
        />
        <TextInput
          label={t`Limit`}
          inputMode="decimal"
          autoComplete="off"
          error={errors.threshold?.message}
          {...form.register("threshold")}
        />
        <TextInput
          label={t`Again after it was back at`}
          placeholder={t`the limit itself`}
          inputMode="decimal"
          autoComplete="off"
          error={errors.rearm_at?.message}
          {...form.register("rearm_at")}
        />
      </SimpleGrid>
      <Button type="submit" mt="sm" variant="default" loading={add.isPending}>
        <Trans>Set limit</Trans>
      </Button>
    </form>
  );
}

function inSigns({ signal, direction, threshold }: SensorWatch): string {
  return `${signal} ${direction === "above" ? ">" : "<"} ${threshold}`;
}
