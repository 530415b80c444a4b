import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Drawer, Group, Stack, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { Experiment } from "@/api/generated/models/experiment";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useProblemText } from "@/ui/problem-text";
import { tagFrom } from "@/ui/Tags";
import { useCreateExperiment } from "../queries";

type Props = {
  projectId: string;
  onClose: () => void;
  onCreated: (experiment: Experiment) => void;
};

export function NewExperimentDrawer(props: Props) {
  const { t } = useLingui();
  return (
    <Drawer
      opened
      onClose={props.onClose}
      position="right"
      title={t`New experiment`}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <NewExperimentForm {...props} />
    </Drawer>
  );
}

function NewExperimentForm({ projectId, onClose, onCreated }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const create = useCreateExperiment(projectId);
  // One key for the life of the form: pressing the button again after a lost answer creates nothing twice.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const schema = useMemo(
    () =>
      v.object({
        name: v.pipe(
          v.string(),
          v.trim(),
          v.nonEmpty(t`Give the experiment a name.`),
          v.maxLength(200, t`A name has at most 200 characters.`),
        ),
        description: v.pipe(v.string(), v.trim()),
        type: v.pipe(v.string(), v.trim()),
        tags: v.array(v.string()),
      }),
    [t],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    defaultValues: { name: "", description: "", type: "", tags: [] as string[] },
  });
  const { errors } = form.formState;

  const submit = form.handleSubmit(({ name, description, type, tags }) =>
    create.mutate(
      {
        key,
        experiment: {
          name,
          description,
          ...(type ? { type } : {}),
          tags: Object.fromEntries(
            tags.flatMap((text) => {
              const tag = tagFrom(text);
              return tag ? [[tag.key, tag.value]] : [];
            }),
          ),
        },
      },
      {
        onSuccess: onCreated,
        onError: (error) => {
          setKey(crypto.randomUUID());
          if (placeProblem(form, error, describe, { "experiment-name-taken": "name" }))
            create.reset();
        },
      },
    ),
  );

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        {create.isError ? <ErrorNotice error={create.error} /> : null}
        <TextInput
          label={t`Name`}
          data-autofocus
          placeholder={t`Motor A, bearing wear`}
          error={errors.name?.message}
          {...form.register("name")}
        />
        <Textarea
          label={t`Description`}
          description={t`Markdown. What is asked, and how will the answer be recognised?`}
          rows={6}
          error={errors.description?.message}
          {...form.register("description")}
        />
        <TextInput
          label={t`Type`}
          description={t`A word to sort by, for example training or endurance.`}
          error={errors.type?.message}
          {...form.register("type")}
        />
        <Controller
          control={form.control}
          name="tags"
          render={({ field }) => (
            <TagsInput
              label={t`Tags`}
              description={t`As key=value; Enter adds one.`}
              placeholder="bench=A"
              error={errors.tags?.message}
              {...field}
            />
          )}
        />
        <Group>
          <Button type="submit" loading={create.isPending}>
            <Trans>Create experiment</Trans>
          </Button>
          <Button variant="default" onClick={onClose}>
            <Trans>Cancel</Trans>
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
