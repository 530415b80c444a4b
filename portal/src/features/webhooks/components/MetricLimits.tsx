import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { MetricWatch } from "@/api/generated/models/metricWatch";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { announceFailure } from "@/ui/notices";
import { useProblemText } from "@/ui/problem-text";
import { metricWatchesQuery, useMetricWatchChanges } from "../queries";

type Props = { projectId: string; canChange: boolean };
type Values = { key: string; direction: "above" | "below"; threshold: string };

const empty: Values = { key: "", direction: "above", threshold: "" };

/** Limits on metrics of all runs, and a form for one more. */
export function MetricLimits({ projectId, canChange }: Props) {
  const { t } = useLingui();
  const watches = useQuery(metricWatchesQuery(projectId));
  const { remove } = useMetricWatchChanges(projectId);

  return (
    <Stack gap="md">
      {watches.isError ? (
        <ErrorNotice
          title={t`The limits could not be loaded`}
          error={watches.error}
          onRetry={() => void watches.refetch()}
        />
      ) : null}
      {watches.data?.map((watch) => (
        <Group key={watch.id} justify="space-between" wrap="nowrap">
          <Text size="sm" className="rb-mono">
            {inSigns(watch)}
          </Text>
          {canChange ? (
            <Button
              size="xs"
              variant="subtle"
              color="gray"
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
      {canChange ? <NewLimit projectId={projectId} /> : null}
    </Stack>
  );
}

function NewLimit({ projectId }: { projectId: string }) {
  const { t } = useLingui();
  const describe = useProblemText();
  const { add } = useMetricWatchChanges(projectId);
  const [key, setKey] = useState(() => crypto.randomUUID());
  const schema = useMemo(
    () =>
      v.object({
        key: v.pipe(v.string(), v.trim(), v.nonEmpty(t`Name the metric.`)),
        direction: v.picklist(["above", "below"]),
        threshold: v.pipe(
          v.string(),
          v.trim(),
          v.check((text) => text !== "" && Number.isFinite(Number(text)), t`A limit is a number.`),
        ),
      }),
    [t],
  );
  const form = useForm<Values>({ resolver: valibotResolver(schema), defaultValues: empty });
  const { errors } = form.formState;
  const submit = form.handleSubmit((given) =>
    add.mutate(
      { key, watch: { ...given, threshold: Number(given.threshold) } },
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
      <Group align="start">
        <TextInput
          label={t`Metric`}
          placeholder="loss"
          autoComplete="off"
          error={errors.key?.message}
          {...form.register("key")}
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
      </Group>
      <Button type="submit" mt="sm" variant="default" loading={add.isPending}>
        <Trans>Set limit</Trans>
      </Button>
    </form>
  );
}

function inSigns({ key, direction, threshold }: MetricWatch): string {
  return `${key} ${direction === "above" ? ">" : "<"} ${threshold}`;
}
