import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Stack } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import { confirmPasswordReset } from "@/api/session";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useNewPassword } from "@/ui/new-password";
import { PasswordField } from "@/ui/PasswordField";
import { useProblemText } from "@/ui/problem-text";

type Props = { token: string; loginLink: (text: string) => ReactNode };

export function ConfirmResetForm({ token, loginLink }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const newPassword = useNewPassword();
  const schema = useMemo(
    () => v.object({ new_password: newPassword.schema }),
    [newPassword.schema],
  );
  const form = useForm({ resolver: valibotResolver(schema), defaultValues: { new_password: "" } });
  const confirm = useMutation({
    mutationFn: (password: string) => confirmPasswordReset(token, password),
    onError: (error) => {
      if (placeProblem(form, error, describe)) confirm.reset();
    },
  });

  if (confirm.isSuccess) {
    return (
      <Alert
        role="status"
        color="teal"
        icon={<IconCheck size={18} aria-hidden />}
        title={t`The password is changed`}
      >
        <Stack gap="xs" align="flex-start">
          <Trans>All sessions of the account were ended.</Trans>
          {loginLink(t`Sign in with the new password`)}
        </Stack>
      </Alert>
    );
  }
  return (
    <form
      noValidate
      onSubmit={form.handleSubmit(({ new_password }) => confirm.mutate(new_password))}
    >
      <Stack gap="md">
        {confirm.isError ? <ErrorNotice error={confirm.error} /> : null}
        <PasswordField
          label={t`New password`}
          description={newPassword.hint}
          autoComplete="new-password"
          autoFocus
          error={form.formState.errors.new_password?.message}
          {...form.register("new_password")}
        />
        <Button type="submit" loading={confirm.isPending} w="fit-content">
          <Trans>Change the password</Trans>
        </Button>
      </Stack>
    </form>
  );
}
