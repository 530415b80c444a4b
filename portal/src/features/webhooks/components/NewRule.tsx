import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { useNotificationChanges } from "../notification-queries";
import { mailLanguage } from "../words";
import { RuleForm } from "./RuleForm";

type Props = { projectId: string; experiments: readonly { id: string; name: string }[] };

/** What one more mail should be about. */
export function NewRule({ projectId, experiments }: Props) {
  const { t, i18n } = useLingui();
  const { add } = useNotificationChanges(projectId);
  const [key, setKey] = useState(() => crypto.randomUUID());
  return (
    <RuleForm
      values={{
        event_types: ["run.failed", "run.interrupted"],
        only_mine: true,
        experiment_id: null,
        name_part: "",
        language: mailLanguage(i18n.locale),
      }}
      experiments={experiments}
      action={t`Tell me`}
      busy={add.isPending}
      error={add.error}
      onSubmit={(given) =>
        add
          .mutateAsync({ key, rule: { ...given, name_part: given.name_part || null } })
          .finally(() => setKey(crypto.randomUUID()))
      }
    />
  );
}
