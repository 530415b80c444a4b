import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import { login, type SignedIn } from "@/api/session";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { PasswordField } from "@/ui/PasswordField";

type Props = {
  onSignedIn: (user: SignedIn) => void;
  resetLink: (text: string) => ReactNode;
};

export function LoginForm({ onSignedIn, resetLink }: Props) {
  const { t } = useLingui();
  const schema = useMemo(
    () =>
      v.object({
        email: v.pipe(v.string(), v.trim(), v.nonEmpty(t`Enter your e-mail address.`)),
        password: v.pipe(v.string(), v.nonEmpty(t`Enter your password.`)),
      }),
    [t],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    defaultValues: { email: "", password: "" },
  });
  const signIn = useMutation({ mutationFn: login, onSuccess: onSignedIn });
  const { errors } = form.formState;

  return (
    <form noValidate onSubmit={form.handleSubmit((values) => signIn.mutate(values))}>
      <Stack gap="md">
        {signIn.isError ? <ErrorNotice error={signIn.error} /> : null}
        <TextInput
          label={t`E-mail`}
          type="email"
          autoComplete="username"
          autoFocus
          error={errors.email?.message}
          {...form.register("email")}
        />
        <PasswordField
          label={t`Password`}
          autoComplete="current-password"
          error={errors.password?.message}
          {...form.register("password")}
        />
        <Group justify="space-between">
          <Button type="submit" loading={signIn.isPending}>
            <Trans>Sign in</Trans>
          </Button>
          {resetLink(t`Forgot your password?`)}
        </Group>
      </Stack>
    </form>
  );
}
