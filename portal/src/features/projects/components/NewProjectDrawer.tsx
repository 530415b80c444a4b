import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Drawer, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import type { Project } from "@/api/generated/models/project";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useProblemText } from "@/ui/problem-text";
import { useCreateProject } from "../queries";
import { slugFrom, slugPattern } from "../slug";

type Props = { onClose: () => void; onCreated: (project: Project) => void };

export function NewProjectDrawer({ onClose, onCreated }: Props) {
  const { t } = useLingui();
  return (
    <Drawer
      opened
      onClose={onClose}
      position="right"
      title={t`New project`}
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <NewProjectForm onClose={onClose} onCreated={onCreated} />
    </Drawer>
  );
}

function NewProjectForm({ onClose, onCreated }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const create = useCreateProject();
  // One key for the life of the form: pressing the button again after a lost answer creates nothing twice.
  const [key, setKey] = useState(() => crypto.randomUUID());
  const schema = useMemo(
    () =>
      v.object({
        name: v.pipe(
          v.string(),
          v.trim(),
          v.nonEmpty(t`Give the project a name.`),
          v.maxLength(200, t`A name has at most 200 characters.`),
        ),
        slug: v.pipe(
          v.string(),
          v.trim(),
          v.maxLength(60, t`An address has at most 60 characters.`),
          v.check(
            (slug) => slug === "" || slugPattern.test(slug),
            t`Lower-case letters, digits and single dashes.`,
          ),
        ),
        description: v.pipe(v.string(), v.trim()),
      }),
    [t],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    defaultValues: { name: "", slug: "", description: "" },
  });
  const { errors } = form.formState;

  const submit = form.handleSubmit(({ slug, ...rest }) =>
    create.mutate(
      { key, project: { ...rest, ...(slug ? { slug } : {}) } },
      {
        onSuccess: onCreated,
        onError: (error) => {
          setKey(crypto.randomUUID());
          if (placeProblem(form, error, describe, { "project-slug-taken": "slug" })) create.reset();
        },
      },
    ),
  );

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md">
        {create.isError ? <ErrorNotice error={create.error} /> : null}
        <TextInput
          label={t({ message: "Name", context: "of a thing" })}
          data-autofocus
          placeholder={t`Motor bench`}
          error={errors.name?.message}
          {...form.register("name", {
            onChange: (event) => {
              if (!form.getFieldState("slug").isDirty) {
                form.resetField("slug", { defaultValue: slugFrom(event.target.value) });
              }
            },
          })}
        />
        <TextInput
          label={t`Address`}
          description={t`Stands in links and in code. Made from the name until you change it.`}
          classNames={{ input: "rb-mono" }}
          spellCheck={false}
          error={errors.slug?.message}
          {...form.register("slug")}
        />
        <Textarea
          label={t`Description`}
          description={t`Markdown. What is measured here, and why?`}
          rows={5}
          error={errors.description?.message}
          {...form.register("description")}
        />
        <Group>
          <Button type="submit" loading={create.isPending}>
            <Trans>Create project</Trans>
          </Button>
          <Button variant="default" onClick={onClose}>
            <Trans>Cancel</Trans>
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
