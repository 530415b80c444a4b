import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, Group, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { EventType } from "@/api/generated/models/eventType";
import type { MailLanguage } from "@/api/generated/models/mailLanguage";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useProblemText } from "@/ui/problem-text";
import { eventTypes, mailLanguages } from "../words";
import { EventChoice } from "./EventChoice";

export type RuleValues = {
  event_types: EventType[];
  only_mine: boolean;
  experiment_id: string | null;
  name_part: string;
  language: MailLanguage;
};

type Props = {
  values: RuleValues;
  /** Those that one may choose from. */
  experiments: readonly { id: string; name: string }[];
  action: string;
  busy: boolean;
  error: unknown;
  /** Rejects with what the server had against it. */
  onSubmit: (values: RuleValues) => Promise<unknown>;
  onCancel?: () => void;
};

/** What a mail should be about, of one more or of one that is changed. */
export function RuleForm(props: Props) {
  const { values, experiments, action, busy, error, onSubmit, onCancel } = props;
  const { t } = useLingui();
  const describe = useProblemText();
  const schema = useMemo(
    () =>
      v.object({
        event_types: v.pipe(
          v.array(v.picklist(eventTypes)),
          v.minLength(1, t`Choose at least one event.`),
        ),
        only_mine: v.boolean(),
        experiment_id: v.nullable(v.string()),
        name_part: v.pipe(v.string(), v.trim()),
        language: v.picklist(["en", "ru"]),
      }),
    [t],
  );
  const form = useForm<RuleValues>({ resolver: valibotResolver(schema), defaultValues: values });
  const { errors } = form.formState;
  const submit = form.handleSubmit((given) =>
    onSubmit(given).then(
      () => form.reset(),
      (problem: unknown) => {
        placeProblem(form, problem, describe);
      },
    ),
  );
  const chosen = values.experiment_id;
  const offered = experiments.map(({ id, name }) => ({ value: id, label: name }));
  // One in which nothing happened for long is not among those to choose from.
  if (chosen && !experiments.some(({ id }) => id === chosen)) {
    offered.push({ value: chosen, label: chosen });
  }

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        {error ? <ErrorNotice error={error} /> : null}
        <Controller
          control={form.control}
          name="event_types"
          render={({ field }) => (
            <EventChoice
              label={t`Tell me when`}
              value={field.value}
              onChange={field.onChange}
              error={errors.event_types?.message}
            />
          )}
        />
        <Checkbox label={t`Of runs, only those that I made`} {...form.register("only_mine")} />
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          <Controller
            control={form.control}
            name="experiment_id"
            render={({ field }) => (
              <Select
                label={t`Of runs, only those of`}
                placeholder={t`any experiment`}
                value={field.value}
                onChange={field.onChange}
                clearable
                searchable
                data={offered}
                error={errors.experiment_id?.message}
              />
            )}
          />
          <TextInput
            label={t`Only where the name has in it`}
            autoComplete="off"
            error={errors.name_part?.message}
            {...form.register("name_part")}
          />
          <Controller
            control={form.control}
            name="language"
            render={({ field }) => (
              <Select
                label={t`Language of the mail`}
                value={field.value}
                allowDeselect={false}
                onChange={field.onChange}
                data={mailLanguages}
              />
            )}
          />
        </SimpleGrid>
        <Group>
          <Button type="submit" loading={busy}>
            {action}
          </Button>
          {onCancel ? (
            <Button variant="default" onClick={onCancel}>
              <Trans>Cancel</Trans>
            </Button>
          ) : null}
        </Group>
      </Stack>
    </form>
  );
}
