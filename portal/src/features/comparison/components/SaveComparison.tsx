import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Popover, Stack, Textarea, TextInput } from "@mantine/core";
import { IconDeviceFloppy } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import type { Screen } from "@/api/generated/models/screen";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce } from "@/ui/notices";
import { useSavedComparisons } from "../queries";

type Props = {
  projectId: string;
  /** What makes this screen again. */
  view: Screen;
};

/** Keeps the screen under a title, for everybody in the project. */
export function SaveComparison({ projectId, view }: Props) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const [title, setTitle] = useState("");
  const [notes, setNotes] = useState("");
  const { save } = useSavedComparisons(projectId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(
      { title: title.trim(), notes, view },
      {
        onSuccess: () => {
          announce(t`“${title}” is saved`);
          setOpen(false);
          setTitle("");
          setNotes("");
        },
      },
    );
  };
  return (
    <Popover opened={open} onChange={setOpen} trapFocus withinPortal position="bottom-end">
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDeviceFloppy size={15} aria-hidden />}
          onClick={() => setOpen(!open)}
        >
          <Trans>Save…</Trans>
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form onSubmit={submit}>
          <Stack gap="xs" w="18rem">
            {save.isError ? <ErrorNotice error={save.error} /> : null}
            <TextInput
              size="xs"
              label={t`Title`}
              maxLength={200}
              value={title}
              onChange={(event) => setTitle(event.currentTarget.value)}
            />
            <Textarea
              size="xs"
              label={t`Notes`}
              description={t`Markdown`}
              rows={4}
              value={notes}
              onChange={(event) => setNotes(event.currentTarget.value)}
            />
            <Button type="submit" size="xs" disabled={!title.trim()} loading={save.isPending}>
              <Trans>Save</Trans>
            </Button>
          </Stack>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
