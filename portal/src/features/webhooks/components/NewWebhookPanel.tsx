import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { useCreateWebhook } from "../queries";
import { SecretOnce } from "./SecretOnce";
import { WebhookForm } from "./WebhookForm";

/** Adds a webhook and shows its secret once. */
export function NewWebhookPanel({ projectId }: { projectId: string }) {
  const { t } = useLingui();
  const create = useCreateWebhook(projectId);
  const [key, setKey] = useState(() => crypto.randomUUID());

  if (create.data) {
    return (
      <SecretOnce
        name={create.data.name}
        secret={create.data.secret}
        onKept={() => {
          setKey(crypto.randomUUID());
          create.reset();
        }}
      />
    );
  }
  return (
    <WebhookForm
      values={{ name: "", url: "", event_types: ["run.succeeded", "run.failed"] }}
      action={t`Add webhook`}
      busy={create.isPending}
      error={create.error}
      onSubmit={(webhook) =>
        create.mutateAsync({ key, webhook }).catch((error: unknown) => {
          setKey(crypto.randomUUID());
          throw error;
        })
      }
    />
  );
}
