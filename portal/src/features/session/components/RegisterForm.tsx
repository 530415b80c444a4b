import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useMemo } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import { register as createAccount, type SignedIn } from "@/api/session";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useNewPassword } from "@/ui/new-password";
import { PasswordField } from "@/ui/PasswordField";
import { useProblemText } from "@/ui/problem-text";

export function RegisterForm({ onSignedIn }: { onSignedIn: (user: SignedIn) => void }) {
  const { t } = useLingui();
  const describe = useProblemText();
  const newPassword = useNewPassword();
  const schema = useMemo(
    () =>
      v.object({
        name: v.pipe(v.string(), v.trim(), v.nonEmpty(t`Enter your name.`), v.maxLength(200)),
        email: v.pipe(v.string(), v.trim(), v.email(t`Enter an address like name@example.org.`)),
        password: newPassword.schema,
      }),
    [t, newPassword.schema],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    defaultValues: { name: "", email: "", password: "" },
  });
  const create = useMutation({
    mutationFn: createAccount,
    onSuccess: onSignedIn,
    onError: (error) => {
      if (placeProblem(form, error, describe, { "email-taken": "email" })) create.reset();
    },
  });
  const { errors } = form.formState;

  return (
    <form noValidate onSubmit={form.handleSubmit((values) => create.mutate(values))}>
      <Stack gap="md">
        {create.isError ? <ErrorNotice error={create.error} /> : null}
        <TextInput
          label={t`Name`}
          autoComplete="name"
          autoFocus
          error={errors.name?.message}
          {...form.register("name")}
        />
        <TextInput
          label={t`E-mail`}
          type="email"
          autoComplete="username"
          error={errors.email?.message}
          {...form.register("email")}
        />
        <PasswordField
          label={t`Password`}
          description={newPassword.hint}
          autoComplete="new-password"
          error={errors.password?.message}
          {...form.register("password")}
        />
        <Button type="submit" loading={create.isPending} w="fit-content">
          <Trans>Create account</Trans>
        </Button>
      </Stack>
    </form>
  );
}
