import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Select } from "@mantine/core";
import { useState } from "react";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";

type Props = { name: string; onConfirm: (graceSec: number) => void };

/** Asks for how long the secret of now goes on signing beside the new one. */
export function NewSecret({ name, onConfirm }: Props) {
  const { t } = useLingui();
  const [grace, setGrace] = useState("86400");
  return (
    <ConfirmInPlace
      action={t`New secret`}
      question={<Trans>Make a new secret for “{name}”?</Trans>}
      onConfirm={() => onConfirm(Number(grace))}
      trigger={(open) => (
        <Button size="xs" variant="default" onClick={open}>
          <Trans>New secret</Trans>
        </Button>
      )}
    >
      <Select
        size="xs"
        label={t`The old one goes on signing`}
        value={grace}
        allowDeselect={false}
        onChange={(value) => setGrace(value ?? grace)}
        data={[
          { value: "86400", label: t`for a day` },
          { value: "3600", label: t`for an hour` },
          { value: "0", label: t`no more: it is known to others` },
        ]}
      />
    </ConfirmInPlace>
  );
}
