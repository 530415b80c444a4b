import type { MessageDescriptor } from "@lingui/core";
import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Select } from "@mantine/core";
import { IconFilter } from "@tabler/icons-react";
import { EmptyState } from "@/ui/EmptyState";

type Props<State extends string> = {
  label: string;
  names: Record<State, MessageDescriptor>;
  value: State | undefined;
  onChange: (state: State | undefined) => void;
};

/** Narrows a log to what is in one state. */
export function StateFilter<State extends string>(props: Props<State>) {
  const { label, names, value, onChange } = props;
  const { t } = useLingui();
  return (
    <Select
      size="xs"
      w={220}
      aria-label={label}
      placeholder={t`In any state`}
      clearable
      clearButtonProps={{ "aria-label": t`Show all` }}
      value={value ?? null}
      onChange={(chosen) => onChange((chosen as State | null) ?? undefined)}
      data={(Object.keys(names) as State[]).map((state) => ({
        value: state,
        label: t(names[state]),
      }))}
    />
  );
}

/** What stands in a log of which nothing is in the chosen state. */
export function NoneInState({ onShowAll }: { onShowAll: () => void }) {
  const { t } = useLingui();
  return (
    <EmptyState icon={<IconFilter size={22} />} title={t`Nothing is in this state`}>
      <Button variant="default" onClick={onShowAll}>
        <Trans>Show all</Trans>
      </Button>
    </EmptyState>
  );
}
