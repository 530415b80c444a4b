import { Trans, useLingui } from "@lingui/react/macro";
import { Alert, Button, Group, Kbd, Text, Textarea } from "@mantine/core";
import { IconGitMerge, IconNotes, IconPencil } from "@tabler/icons-react";
import { type KeyboardEvent, type ReactNode, useDeferredValue, useEffect, useState } from "react";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { MarkdownView } from "@/ui/MarkdownView";
import { announce } from "@/ui/notices";
import { keepDraft, keptDraft } from "../drafts";
import { joined, type Place, type Stored, saveOver } from "../saving";
import classes from "./Notes.module.css";

type Props = {
  /** Names the text for its draft: one for each thing that has notes. */
  id: string;
  /** "Notes", "Description": names the field. */
  label: string;
  stored: Stored;
  place: Place;
  canEdit: boolean;
  /** What to write here, when nobody has yet. */
  invitation: string;
  emptyTitle: string;
  /** Beside the button that starts editing. */
  actions?: ReactNode;
};

/** Markdown that people read, and write where it stands. */
export function Notes(props: Props) {
  const { id, stored, canEdit, label } = props;
  const { t } = useLingui();
  const [editing, setEditing] = useState(() => canEdit && keptDraft(id) !== null);

  if (editing) return <NotesEditor {...props} onDone={() => setEditing(false)} />;
  const edit = canEdit ? (
    <Button
      size="xs"
      variant="default"
      leftSection={<IconPencil size={15} aria-hidden />}
      onClick={() => setEditing(true)}
      aria-label={t`Edit: ${label}`}
    >
      <Trans>Edit</Trans>
    </Button>
  ) : null;
  if (stored.text.trim() === "") {
    return (
      <EmptyState icon={<IconNotes size={24} />} title={props.emptyTitle} actions={edit}>
        {props.invitation}
      </EmptyState>
    );
  }
  return (
    <>
      <MarkdownView text={stored.text} />
      {edit ? (
        <Group mt="sm" gap="xs">
          {edit}
          {props.actions}
        </Group>
      ) : null}
    </>
  );
}

function NotesEditor({ id, label, stored, place, onDone }: Props & { onDone: () => void }) {
  const { t } = useLingui();
  // What the writer started from; somebody else's newer version shows as a conflict, not as lost text.
  const [base, setBase] = useState(stored);
  const [text, setText] = useState(() => keptDraft(id) ?? stored.text);
  const [theirs, setTheirs] = useState<Stored | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const preview = useDeferredValue(text);

  useEffect(() => keepDraft(id, text === base.text ? null : text), [id, text, base.text]);

  function leave(): void {
    keepDraft(id, null);
    onDone();
  }

  async function save(over: Stored = base): Promise<void> {
    setBusy(true);
    setError(null);
    try {
      const outcome = await saveOver(place, text, over);
      if (outcome.kind === "conflict") return setTheirs(outcome.theirs);
      announce(t`Saved`);
      leave();
    } catch (problem) {
      setError(problem);
    } finally {
      setBusy(false);
    }
  }

  function takeTheirs(version: Stored): void {
    setText(version.text);
    setBase(version);
    setTheirs(null);
  }

  function mergeWith(version: Stored): void {
    setText(joined(version.text, text));
    setBase(version);
    setTheirs(null);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void save(theirs ?? base);
    if (event.key === "Escape" && text === base.text) leave();
  }

  return (
    <div className={classes.editor}>
      {theirs ? (
        <Alert
          color="yellow"
          role="alert"
          icon={<IconGitMerge size={18} aria-hidden />}
          title={t`Somebody else saved this while you were writing`}
        >
          <Text size="sm" mb="xs">
            <Trans>
              Nothing is lost: their version stands beside yours. Keep one of them, or put both into
              the editor and sort it out.
            </Trans>
          </Text>
          <Group gap="xs">
            <Button size="xs" onClick={() => mergeWith(theirs)}>
              <Trans>Put both into the editor</Trans>
            </Button>
            <Button size="xs" variant="default" loading={busy} onClick={() => void save(theirs)}>
              <Trans>Keep mine</Trans>
            </Button>
            <Button size="xs" variant="default" onClick={() => takeTheirs(theirs)}>
              <Trans>Take theirs</Trans>
            </Button>
          </Group>
        </Alert>
      ) : null}
      {error ? <ErrorNotice error={error} title={t`Not saved; your text is still here`} /> : null}
      <div className={classes.panes}>
        <div className={classes.pane}>
          <Textarea
            label={theirs ? t`Your version` : label}
            description={t`Markdown`}
            autoFocus
            autosize
            minRows={8}
            maxRows={26}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </div>
        <div className={classes.pane}>
          <p className={classes.caption}>{theirs ? t`Their version` : t`Preview`}</p>
          <div className={classes.preview}>
            {theirs ? (
              <pre className={classes.raw}>{theirs.text}</pre>
            ) : preview.trim() ? (
              <MarkdownView text={preview} />
            ) : (
              <Text size="sm" c="dimmed">
                <Trans>Nothing to show yet.</Trans>
              </Text>
            )}
          </div>
        </div>
      </div>
      {theirs ? null : (
        <Group gap="xs">
          <Button loading={busy} onClick={() => void save()}>
            <Trans>Save</Trans>
          </Button>
          <Button variant="default" onClick={leave}>
            <Trans>Cancel</Trans>
          </Button>
          <Text size="xs" c="dimmed" visibleFrom="sm">
            <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd>
          </Text>
        </Group>
      )}
    </div>
  );
}
