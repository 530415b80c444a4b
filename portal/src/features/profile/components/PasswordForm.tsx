import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Stack } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import { changePassword } from "@/api/session";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useNewPassword } from "@/ui/new-password";
import { announce } from "@/ui/notices";
import { PasswordField } from "@/ui/PasswordField";
import { useProblemText } from "@/ui/problem-text";
import { sessionsQuery } from "../queries";

export function PasswordForm({ email }: { email: string }) {
  const { t } = useLingui();
  const describe = useProblemText();
  const client = useQueryClient();
  const newPassword = useNewPassword();
  const schema = useMemo(
    () =>
      v.object({
        current_password: v.pipe(v.string(), v.nonEmpty(t`Enter your current password.`)),
        new_password: newPassword.schema,
      }),
    [t, newPassword.schema],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    defaultValues: { current_password: "", new_password: "" },
  });
  const change = useMutation({
    mutationFn: changePassword,
    onSuccess: () => {
      form.reset();
      announce(t`The password is changed; your other sessions were ended`);
      void client.invalidateQueries(sessionsQuery);
    },
    onError: (error) => {
      const codes = { "wrong-password": "current_password" } as const;
      if (placeProblem(form, error, describe, codes)) change.reset();
    },
  });
  const { errors } = form.formState;
  return (
    <form noValidate onSubmit={form.handleSubmit((values) => change.mutate(values))}>
      <Stack gap="md" maw={420}>
        {change.isError ? <ErrorNotice title={t`Not changed`} error={change.error} /> : null}
        {/* Password managers file the new password under this name. */}
        <input type="hidden" autoComplete="username" value={email} readOnly />
        <PasswordField
          label={t`Current password`}
          autoComplete="current-password"
          error={errors.current_password?.message}
          {...form.register("current_password")}
        />
        <PasswordField
          label={t`New password`}
          description={newPassword.hint}
          autoComplete="new-password"
          error={errors.new_password?.message}
          {...form.register("new_password")}
        />
        <Button type="submit" w="fit-content" loading={change.isPending}>
          <Trans>Change the password</Trans>
        </Button>
      </Stack>
    </form>
  );
}
