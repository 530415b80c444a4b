import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Checkbox, Group, Select, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { EventType } from "@/api/generated/models/eventType";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useProblemText } from "@/ui/problem-text";
import { useNotificationChanges } from "../notification-queries";
import { eventTypes, mailLanguage } from "../words";
import { EventChoice } from "./EventChoice";

type Props = {
  projectId: string;
  /** Those that one may choose from. */
  experiments: readonly { id: string; name: string }[];
};
type Values = {
  event_types: EventType[];
  only_mine: boolean;
  experiment_id: string | null;
  name_part: string;
};

const usual: Values = {
  event_types: ["run.failed", "run.interrupted"],
  only_mine: true,
  experiment_id: null,
  name_part: "",
};

/** What one more mail should be about. */
export function RuleForm({ projectId, experiments }: Props) {
  const { t, i18n } = useLingui();
  const describe = useProblemText();
  const { add } = useNotificationChanges(projectId);
  const [key, setKey] = useState(() => crypto.randomUUID());
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
      }),
    [t],
  );
  const form = useForm<Values>({ resolver: valibotResolver(schema), defaultValues: usual });
  const { errors } = form.formState;
  const submit = form.handleSubmit((given) =>
    add.mutate(
      {
        key,
        rule: {
          ...given,
          name_part: given.name_part || null,
          language: mailLanguage(i18n.locale),
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
      <Stack gap="md">
        {add.isError ? <ErrorNotice error={add.error} /> : null}
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
                data={experiments.map(({ id, name }) => ({ value: id, label: name }))}
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
        </SimpleGrid>
        <Group>
          <Button type="submit" loading={add.isPending}>
            <Trans>Tell me</Trans>
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
