import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import type { SignedIn } from "@/api/session";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { announce } from "@/ui/notices";
import { useProblemText } from "@/ui/problem-text";
import { useChangeProfile } from "../queries";

export function NameForm({ user }: { user: SignedIn }) {
  const { t } = useLingui();
  const describe = useProblemText();
  const change = useChangeProfile();
  const schema = useMemo(
    () =>
      v.object({
        name: v.pipe(
          v.string(),
          v.trim(),
          v.nonEmpty(t`Enter your name.`),
          v.maxLength(200, t`A name has at most 200 characters.`),
        ),
      }),
    [t],
  );
  const form = useForm({ resolver: valibotResolver(schema), values: { name: user.name } });
  return (
    <form
      noValidate
      onSubmit={form.handleSubmit((values) =>
        change.mutate(values, {
          onSuccess: () => announce(t`Saved`),
          onError: (error) => {
            if (placeProblem(form, error, describe)) change.reset();
          },
        }),
      )}
    >
      <Stack gap="md" maw={420}>
        {change.isError ? <ErrorNotice title={t`Not saved`} error={change.error} /> : null}
        <TextInput
          label={t`Name`}
          description={t`Others see it beside what you do.`}
          autoComplete="name"
          error={form.formState.errors.name?.message}
          {...form.register("name")}
        />
        <TextInput label={t`E-mail`} value={user.email} readOnly />
        <Button
          type="submit"
          w="fit-content"
          disabled={!form.formState.isDirty}
          loading={change.isPending}
        >
          <Trans>Save</Trans>
        </Button>
      </Stack>
    </form>
  );
}
