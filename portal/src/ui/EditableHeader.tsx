import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, TextInput, Tooltip } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { PageHeader } from "@/ui/PageHeader";
import { useProblemText } from "@/ui/problem-text";
import { useShortcut } from "@/ui/shortcuts";

type Props = {
  title: string;
  /** Names the field and its button: "Name of the run". */
  label: string;
  canEdit: boolean;
  /** Resolves once the new title is kept; what it throws is shown beside the field. */
  onRename: (title: string) => Promise<unknown>;
  lead?: ReactNode;
  badge?: ReactNode;
  actions?: ReactNode;
};

/** A page header whose title is changed where it stands: the pencil or E, Enter keeps, Escape leaves. */
export function EditableHeader({ title, label, canEdit, onRename, badge, ...rest }: Props) {
  const { t } = useLingui();
  const describe = useProblemText();
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const pencil = useRef<HTMLButtonElement>(null);
  const start = () => {
    setError(null);
    setText(title);
  };
  useShortcut("rename", start, canEdit && text === null);

  function leave(): void {
    setText(null);
    requestAnimationFrame(() => pencil.current?.focus());
  }

  async function keep(event: FormEvent): Promise<void> {
    event.preventDefault();
    const wanted = text?.trim() ?? "";
    if (wanted === "" || wanted === title) return leave();
    setBusy(true);
    try {
      await onRename(wanted);
      leave();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }

  if (text !== null) {
    return (
      <form onSubmit={keep}>
        <Group align="flex-start" gap="xs" mb="lg">
          <TextInput
            aria-label={label}
            autoFocus
            maxLength={200}
            value={text}
            error={error ? describe(error) : undefined}
            onChange={(event) => setText(event.currentTarget.value)}
            onFocus={(event) => event.currentTarget.select()}
            onKeyDown={(event) => {
              if (event.key === "Escape") leave();
            }}
            style={{ flex: "0 1 32rem" }}
          />
          <Button type="submit" loading={busy}>
            <Trans>Save</Trans>
          </Button>
          <Button variant="default" onClick={leave}>
            <Trans>Cancel</Trans>
          </Button>
        </Group>
      </form>
    );
  }
  const rename = t`Rename`;
  return (
    <PageHeader
      title={title}
      badge={
        <>
          {canEdit ? (
            <Tooltip label={rename}>
              <ActionIcon ref={pencil} aria-label={`${rename}: ${label}`} onClick={start}>
                <IconPencil size={16} aria-hidden />
              </ActionIcon>
            </Tooltip>
          ) : null}
          {badge}
        </>
      }
      {...rest}
    />
  );
}
