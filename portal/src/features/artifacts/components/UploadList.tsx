import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Text } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconRefresh, IconX } from "@tabler/icons-react";
import { useSyncExternalStore } from "react";
import { useFormats } from "@/ui/format";
import { useProblemText } from "@/ui/problem-text";
import { nameOf } from "../paths";
import { useSizeText } from "../size-text";
import type { Upload, Uploads } from "../uploads";
import classes from "./Artifacts.module.css";

const rowsShown = 100;
// What asks for a hand stands first, what is over last.
const order = ["exists", "failed", "sending", "waiting", "done"];

/** The uploads of a run, as long as there are any. */
export function UploadList({ uploads }: { uploads: Uploads }) {
  const { t } = useLingui();
  const formats = useFormats();
  const size = useSizeText();
  const all = useSyncExternalStore(uploads.subscribe, uploads.snapshot);
  if (all.length === 0) return null;
  const of = (...states: string[]) => all.filter(({ state }) => states.includes(state));
  const ids = (some: readonly Upload[]) => some.map(({ id }) => id);
  const taken = of("exists");
  const failed = of("failed");
  const left = of("waiting", "sending");
  const done = of("done");
  const total = all.reduce((sum, one) => sum + one.size, 0);
  const sent = all.reduce((sum, one) => sum + Math.min(one.sent, one.size), 0);
  const shown = all
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
    .slice(0, rowsShown);
  const rest = all.length - shown.length;
  return (
    <section aria-label={t`Uploads`} className={classes.shown}>
      <Group justify="space-between">
        <Text size="sm" role="status">
          {left.length > 0
            ? t`${formats.number(done.length)} of ${formats.number(all.length)} files, ${size(sent)} of ${size(total)}`
            : t`${formats.number(done.length)} of ${formats.number(all.length)} files are stored`}
        </Text>
        <Group gap="xs">
          {failed.length > 0 ? (
            <Button size="xs" variant="default" onClick={() => uploads.retry(ids(failed))}>
              <Trans>Try all failed again</Trans>
            </Button>
          ) : null}
          {left.length > 0 ? (
            <Button size="xs" variant="default" onClick={() => uploads.drop(ids(left))}>
              <Trans>Cancel all</Trans>
            </Button>
          ) : (
            <Button size="xs" variant="default" onClick={() => uploads.drop(ids(all))}>
              <Trans>Clear the list</Trans>
            </Button>
          )}
        </Group>
      </Group>
      {taken.length > 0 ? (
        <Group gap="xs" role="group" aria-label={t`Replace files?`}>
          <Text size="sm">
            <Plural
              value={taken.length}
              one="# file is there already. Replace it?"
              other="# files are there already. Replace them?"
            />
          </Text>
          <Button size="xs" onClick={() => uploads.replace(ids(taken))}>
            <Trans>Replace</Trans>
          </Button>
          <Button size="xs" variant="default" onClick={() => uploads.drop(ids(taken))}>
            <Trans>Keep what is there</Trans>
          </Button>
        </Group>
      ) : null}
      <ul className={classes.uploads}>
        {shown.map((upload) => (
          <UploadRow key={upload.id} upload={upload} uploads={uploads} />
        ))}
      </ul>
      {rest > 0 ? (
        <Text size="sm" c="dimmed">
          <Plural value={rest} one="# more file" other="# more files" />
        </Text>
      ) : null}
    </section>
  );
}

function UploadRow({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const { t } = useLingui();
  const problemText = useProblemText();
  const { id, path, size, sent, state, error } = upload;
  const name = nameOf(path);
  const isOver = state === "done" || state === "failed";
  return (
    <li className={classes.upload}>
      <span className={classes.name} title={path}>
        {path}
      </span>
      {state === "failed" ? (
        <Text size="sm" c="red" lineClamp={2}>
          <IconAlertTriangle size={14} aria-hidden /> {problemText(error)}
        </Text>
      ) : state === "exists" ? (
        <Text size="sm">{t`Is there already`}</Text>
      ) : state === "done" ? (
        <Text size="sm" c="teal">
          <IconCheck size={14} aria-hidden /> {t`Stored`}
        </Text>
      ) : (
        <progress
          className={classes.bar}
          aria-label={t`Progress of ${name}`}
          max={size || 1}
          value={sent}
        />
      )}
      <Group gap={4} wrap="nowrap">
        {state === "failed" ? (
          <ActionIcon aria-label={t`Try ${name} again`} onClick={() => uploads.retry([id])}>
            <IconRefresh size={16} aria-hidden />
          </ActionIcon>
        ) : null}
        <ActionIcon
          aria-label={isOver ? t`Take ${name} off the list` : t`Cancel ${name}`}
          onClick={() => uploads.drop([id])}
        >
          <IconX size={16} aria-hidden />
        </ActionIcon>
      </Group>
    </li>
  );
}
