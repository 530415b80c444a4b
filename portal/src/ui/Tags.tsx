import { useLingui } from "@lingui/react/macro";
import { Button, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import classes from "@/ui/Tags.module.css";

/** What to merge: a value sets the tag, `null` takes it away. */
export type TagChange = Record<string, string | null>;

type ListProps = {
  tags: Record<string, string>;
  /** All in one line, cut at its end: for table cells. */
  single?: boolean;
};

export function TagList({ tags, single = false }: ListProps) {
  return (
    <ul className={single ? `${classes.list} ${classes.single}` : classes.list}>
      {Object.entries(tags).map(([key, value]) => (
        <li key={key} className={classes.tag} title={tagText(key, value)}>
          <TagWords name={key} value={value} />
        </li>
      ))}
    </ul>
  );
}

type EditorProps = {
  tags: Record<string, string>;
  canEdit: boolean;
  onChange: (change: TagChange) => void;
};

/** Tags with a way to take each away and to add one as `key=value`. */
export function TagsEditor({ tags, canEdit, onChange }: EditorProps) {
  const { t } = useLingui();
  const [text, setText] = useState<string | null>(null);
  const entries = Object.entries(tags);

  function add(event: FormEvent): void {
    event.preventDefault();
    const tag = tagFrom(text ?? "");
    if (tag) onChange({ [tag.key]: tag.value });
    setText(tag ? "" : null);
  }

  if (!canEdit && entries.length === 0) return null;
  return (
    <ul className={classes.list} aria-label={t`Tags`}>
      {entries.map(([key, value]) => (
        <li key={key} className={classes.tag}>
          <TagWords name={key} value={value} />
          {canEdit ? (
            <button
              type="button"
              className={classes.remove}
              aria-label={t`Remove the tag ${tagText(key, value)}`}
              onClick={() => onChange({ [key]: null })}
            >
              <IconX size={12} aria-hidden />
            </button>
          ) : null}
        </li>
      ))}
      {canEdit ? (
        <li>
          {text === null ? (
            <Button
              size="compact-xs"
              variant="subtle"
              leftSection={<IconPlus size={13} aria-hidden />}
              onClick={() => setText("")}
            >
              {t`Add a tag`}
            </Button>
          ) : (
            <form onSubmit={add}>
              <TextInput
                size="xs"
                autoFocus
                aria-label={t`New tag, as key=value`}
                placeholder="key=value"
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
                onKeyDown={(event) => {
                  if (event.key === "Escape") setText(null);
                }}
                onBlur={(event) => {
                  if (event.currentTarget.value.trim() === "") setText(null);
                }}
              />
            </form>
          )}
        </li>
      ) : null}
    </ul>
  );
}

/** `bench=A` as its two parts; a word alone is a tag with an empty value. */
export function tagFrom(text: string): { key: string; value: string } | null {
  const [key = "", ...rest] = text.split("=");
  const name = key.trim();
  return name ? { key: name, value: rest.join("=").trim() } : null;
}

export function tagText(key: string, value: string): string {
  return value ? `${key}=${value}` : key;
}

function TagWords({ name, value }: { name: string; value: string }) {
  return (
    <span className={classes.words}>
      {value ? (
        <>
          <span className={classes.key}>{name}=</span>
          {value}
        </>
      ) : (
        name
      )}
    </span>
  );
}
