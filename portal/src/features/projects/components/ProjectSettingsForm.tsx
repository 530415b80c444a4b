import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Textarea, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import type { Project } from "@/api/generated/models/project";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { announce } from "@/ui/notices";
import { useProblemText } from "@/ui/problem-text";
import { useChangeProject } from "../queries";
import { slugPattern } from "../slug";

type Props = {
  project: Project;
  readOnly: boolean;
  /** The address changed, and the page's own with it. */
  onMoved: (slug: string) => void;
};

export function ProjectSettingsForm({ project, readOnly, onMoved }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const change = useChangeProject(project);
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
          v.regex(slugPattern, t`Lower-case letters, digits and single dashes.`),
        ),
        description: v.string(),
      }),
    [t],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    values: { name: project.name, slug: project.slug, description: project.description },
    resetOptions: { keepDirtyValues: true },
  });
  const { errors, isDirty, dirtyFields } = form.formState;

  const submit = form.handleSubmit((values) => {
    const changed = Object.fromEntries(
      Object.entries(values).filter(([name]) => name in dirtyFields),
    );
    change.mutate(changed, {
      onSuccess: (saved) => {
        form.reset({ name: saved.name, slug: saved.slug, description: saved.description });
        announce(t`Saved`);
        if (saved.slug !== project.slug) onMoved(saved.slug);
      },
      onError: (error) => {
        if (placeProblem(form, error, describe, { "project-slug-taken": "slug" })) change.reset();
      },
    });
  });

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="md" maw={640}>
        {change.isError ? <ErrorNotice title={t`Not saved`} error={change.error} /> : null}
        <TextInput
          label={t({ message: "Name", context: "of a thing" })}
          readOnly={readOnly}
          error={errors.name?.message}
          {...form.register("name")}
        />
        <TextInput
          label={t`Address`}
          description={t`Links to the old address stop working when you change it.`}
          classNames={{ input: "rb-mono" }}
          spellCheck={false}
          readOnly={readOnly}
          error={errors.slug?.message}
          {...form.register("slug")}
        />
        <Textarea
          label={t`Description`}
          description={t`Markdown`}
          rows={8}
          readOnly={readOnly}
          error={errors.description?.message}
          {...form.register("description")}
        />
        {readOnly ? null : (
          <Group>
            <Button type="submit" disabled={!isDirty} loading={change.isPending}>
              <Trans>Save</Trans>
            </Button>
            {isDirty ? (
              <Button variant="default" onClick={() => form.reset()}>
                <Trans>Discard changes</Trans>
              </Button>
            ) : null}
          </Group>
        )}
      </Stack>
    </form>
  );
}
