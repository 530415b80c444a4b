import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { EventType } from "@/api/generated/models/eventType";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useProblemText } from "@/ui/problem-text";
import { eventTypes } from "../words";
import { EventChoice } from "./EventChoice";

export type WebhookValues = { name: string; url: string; event_types: EventType[] };

type Props = {
  values: WebhookValues;
  action: string;
  busy: boolean;
  error: unknown;
  /** Rejects with what the server had against it. */
  onSubmit: (values: WebhookValues) => Promise<unknown>;
  onCancel?: () => void;
};

/** The name, the address and the events of a webhook, new or not. */
export function WebhookForm({ values, action, busy, error, onSubmit, onCancel }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const schema = useMemo(
    () =>
      v.object({
        name: v.pipe(
          v.string(),
          v.trim(),
          v.nonEmpty(t`Say who listens there.`),
          v.maxLength(200, t`A name has at most 200 characters.`),
        ),
        url: v.pipe(
          v.string(),
          v.trim(),
          v.regex(/^https?:\/\/[^\s/]+/i, t`The address begins with https:// or http://.`),
        ),
        event_types: v.pipe(
          v.array(v.picklist(eventTypes)),
          v.minLength(1, t`Choose at least one event.`),
        ),
      }),
    [t],
  );
  const form = useForm<WebhookValues>({
    resolver: valibotResolver(schema),
    defaultValues: values,
  });
  const { errors } = form.formState;
  const submit = form.handleSubmit((given) =>
    onSubmit(given).catch((problem: unknown) => {
      placeProblem(form, problem, describe);
    }),
  );

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        {error ? <ErrorNotice error={error} /> : null}
        <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
          <TextInput
            label={t`Name`}
            placeholder={t`CI, chat, lab book…`}
            autoComplete="off"
            error={errors.name?.message}
            {...form.register("name")}
          />
          <TextInput
            label={t`Address`}
            placeholder="https://ci.example.org/runbench"
            type="url"
            autoComplete="off"
            error={errors.url?.message}
            {...form.register("url")}
          />
        </SimpleGrid>
        <Controller
          control={form.control}
          name="event_types"
          render={({ field }) => (
            <EventChoice
              label={t`It is told when`}
              value={field.value}
              onChange={field.onChange}
              error={errors.event_types?.message}
            />
          )}
        />
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
