import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Stack, Text, TextInput } from "@mantine/core";
import { IconMail } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useMemo } from "react";
import { useForm } from "react-hook-form";
import * as v from "valibot";
import { requestPasswordReset } from "@/api/session";
import { ErrorNotice } from "@/ui/ErrorNotice";

export function RequestResetForm() {
  const { t } = useLingui();
  const schema = useMemo(
    () =>
      v.object({
        email: v.pipe(v.string(), v.trim(), v.email(t`Enter an address like name@example.org.`)),
      }),
    [t],
  );
  const form = useForm({ resolver: valibotResolver(schema), defaultValues: { email: "" } });
  const ask = useMutation({ mutationFn: requestPasswordReset });

  if (ask.isSuccess) {
    return (
      <Alert
        role="status"
        color="teal"
        icon={<IconMail size={18} aria-hidden />}
        title={t`Look into your mailbox`}
      >
        <Trans>
          If this address has an account, a link to choose a new password is on its way. It works
          once and for a short time. On a development server the link stands in the log.
        </Trans>
      </Alert>
    );
  }
  return (
    <form noValidate onSubmit={form.handleSubmit(({ email }) => ask.mutate(email))}>
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          <Trans>
            Enter the address of your account. We send you a link to choose a new password.
          </Trans>
        </Text>
        {ask.isError ? <ErrorNotice error={ask.error} /> : null}
        <TextInput
          label={t`E-mail`}
          type="email"
          autoComplete="username"
          autoFocus
          error={form.formState.errors.email?.message}
          {...form.register("email")}
        />
        <Button type="submit" loading={ask.isPending} w="fit-content">
          <Trans>Send the link</Trans>
        </Button>
      </Stack>
    </form>
  );
}
