import { valibotResolver } from "@hookform/resolvers/valibot";
import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { Controller, useForm } from "react-hook-form";
import * as v from "valibot";
import type { Role } from "@/api/generated/models/role";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { placeProblem } from "@/ui/form";
import { useProblemText } from "@/ui/problem-text";
import { roleMeanings, roleNames, rolesUpTo } from "@/ui/roles";
import { useCreateToken } from "../queries";
import classes from "./Tokens.module.css";

type Props = { projectId: string; ownRole: Role };

const lifetimes = ["7", "30", "90", "365", "never"] as const;
type Lifetime = (typeof lifetimes)[number];

/** Makes a token and shows its secret once. */
export function NewTokenPanel({ projectId, ownRole }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const create = useCreateToken(projectId);
  const [key, setKey] = useState(() => crypto.randomUUID());
  const allowed = rolesUpTo(ownRole);
  const schema = useMemo(
    () =>
      v.object({
        name: v.pipe(
          v.string(),
          v.trim(),
          v.nonEmpty(t`Say what the token is for.`),
          v.maxLength(200, t`A name has at most 200 characters.`),
        ),
        role: v.picklist(["owner", "editor", "viewer"]),
        lifetime: v.picklist(lifetimes),
      }),
    [t],
  );
  const form = useForm({
    resolver: valibotResolver(schema),
    defaultValues: {
      name: "",
      role: (allowed.includes("editor") ? "editor" : "viewer") as Role,
      lifetime: "90" as Lifetime,
    },
  });
  const lifetimeNames: Record<Lifetime, string> = {
    "7": t`7 days`,
    "30": t`30 days`,
    "90": t`90 days`,
    "365": t`1 year`,
    never: t`Never expires`,
  };
  const { errors } = form.formState;
  const role = form.watch("role");

  if (create.data) {
    const { name } = create.data;
    return (
      <Stack gap="sm">
        <Alert
          role="status"
          color="teal"
          icon={<IconKey size={18} aria-hidden />}
          title={t`The token “${name}” is ready. Copy it now.`}
        >
          <Trans>It is shown this once; Runbench keeps only a fingerprint of it.</Trans>
        </Alert>
        <CodeSnippet wrap code={create.data.token} copyLabel={t`Copy the token`} />
        <Button
          variant="default"
          w="fit-content"
          onClick={() => {
            setKey(crypto.randomUUID());
            form.reset();
            create.reset();
          }}
        >
          <Trans>Done, I have kept it</Trans>
        </Button>
      </Stack>
    );
  }

  const submit = form.handleSubmit(({ name, role: chosen, lifetime }) =>
    create.mutate(
      {
        key,
        token: {
          name,
          role: chosen,
          expires_in_days: lifetime === "never" ? null : Number(lifetime),
        },
      },
      {
        onError: (error) => {
          setKey(crypto.randomUUID());
          if (placeProblem(form, error, describe)) create.reset();
        },
      },
    ),
  );

  return (
    <form noValidate onSubmit={submit}>
      <Stack gap="sm">
        {create.isError ? <ErrorNotice error={create.error} /> : null}
        <div className={classes.form}>
          <TextInput
            label={t`What for`}
            placeholder={t`Bench PC, CI, my laptop…`}
            autoComplete="off"
            error={errors.name?.message}
            {...form.register("name")}
          />
          <Controller
            control={form.control}
            name="role"
            render={({ field }) => (
              <Select
                label={t`Role`}
                value={field.value}
                onChange={field.onChange}
                data={allowed.map((one) => ({ value: one, label: t(roleNames[one]) }))}
              />
            )}
          />
          <Controller
            control={form.control}
            name="lifetime"
            render={({ field }) => (
              <Select
                label={t`Valid for`}
                value={field.value}
                onChange={field.onChange}
                data={lifetimes.map((one) => ({ value: one, label: lifetimeNames[one] }))}
              />
            )}
          />
          <Group>
            <Button type="submit" loading={create.isPending}>
              <Trans>Create token</Trans>
            </Button>
          </Group>
        </div>
        <Text size="xs" c="dimmed">
          {t(roleMeanings[role])}
        </Text>
      </Stack>
    </form>
  );
}
