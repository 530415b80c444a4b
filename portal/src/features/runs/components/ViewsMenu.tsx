import { Trans, useLingui } from "@lingui/react/macro";
import {
  ActionIcon,
  Button,
  Group,
  Popover,
  SegmentedControl,
  Switch,
  TextInput,
} from "@mantine/core";
import {
  IconBookmark,
  IconLink,
  IconPencil,
  IconStar,
  IconStarFilled,
  IconTrash,
  IconUser,
  IconUsers,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { copyText } from "@/ui/CopyButton";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announce, announceFailure } from "@/ui/notices";
import { offerUndo } from "@/ui/undo";
import { useViewChanges, viewsQuery } from "../queries";
import type { View, Visibility } from "../search-api";
import { keptInViews, type Workspace } from "../workspace";
import classes from "./RunsTable.module.css";

type Props = {
  projectId: string;
  /** The view that is open, and whether something was changed since. */
  view: View | undefined;
  changed: boolean;
  /** What a view would keep now. */
  workspace: Workspace;
  onOpen: (view: View | null) => void;
  /** Shared views and defaults are for members who may change the project. */
  canEdit: boolean;
};

/** Beyond this an address is not safe to send around; the state then goes into a view. */
const longestAddress = 2000;

type Form = { kind: "new" } | { kind: "rename"; view: View };

/** Saved views: open, save, rename, delete, and a link that shows others the same. */
export function ViewsMenu(props: Props) {
  const { projectId, view, changed, workspace, onOpen, canEdit } = props;
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const [form, setForm] = useState<Form | null>(null);
  const views = useQuery({ ...viewsQuery(projectId), enabled: open });
  const { create, change, remove } = useViewChanges(projectId);
  const state = keptInViews(workspace) as Record<string, unknown>;
  const own = (one: View) => one.visibility === "personal" || canEdit;
  const failed = (error: unknown) => announceFailure(t`The view could not be changed`, error);

  function save(): void {
    if (!view) return;
    change.mutate(
      { id: view.id, state },
      {
        onSuccess: (saved) => {
          onOpen(saved);
          announce(t`View saved`);
        },
        onError: failed,
      },
    );
  }

  function drop(one: View): void {
    remove.mutate(one.id, {
      onSuccess: () => {
        if (one.id === view?.id) onOpen(null);
        const { name, visibility, state: kept, is_default } = one;
        offerUndo(t`View “${name}” deleted`, () =>
          create.mutate({ name, visibility, state: kept, is_default }, { onError: failed }),
        );
      },
      onError: failed,
    });
  }

  async function copyLink(): Promise<void> {
    let link = window.location.href;
    if (link.length > longestAddress) {
      try {
        const made = await create.mutateAsync({
          name: t`Link of ${new Date().toISOString().slice(0, 16).replace("T", " ")}`,
          visibility: canEdit ? "shared" : "personal",
          state: workspace as Record<string, unknown>,
        });
        link = `${window.location.origin}${window.location.pathname}?view=${made.id}`;
      } catch (error) {
        failed(error);
        return;
      }
    }
    await copyText(link);
    announce(t`Link copied`);
  }

  return (
    <Popover
      trapFocus
      withinPortal
      position="bottom-end"
      opened={open}
      onChange={(next) => {
        setOpen(next);
        setForm(null);
      }}
    >
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          className={classes.grouped}
          leftSection={<IconBookmark size={15} aria-hidden />}
          onClick={() => setOpen(!open)}
        >
          {view ? view.name : <Trans>Views</Trans>}
          {view && changed ? <span className={classes.changed}>{t`changed`}</span> : null}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className={classes.chooser}>
          {form ? (
            <ViewForm
              // Each form begins with its own name.
              key={form.kind}
              view={form.kind === "rename" ? form.view : undefined}
              mayShare={canEdit}
              busy={create.isPending || change.isPending}
              error={form.kind === "new" ? create.error : change.error}
              onCancel={() => setForm(null)}
              onSubmit={(values) => {
                const done = (saved: View) => {
                  setForm(null);
                  setOpen(false);
                  if (form.kind === "new" || saved.id === view?.id) onOpen(saved);
                  announce(t`View saved`);
                };
                if (form.kind === "new") create.mutate({ ...values, state }, { onSuccess: done });
                else change.mutate({ ...values, id: form.view.id }, { onSuccess: done });
              }}
            />
          ) : (
            <>
              <ul className={classes.views}>
                <li>
                  <button
                    type="button"
                    className={classes.view}
                    aria-current={view ? undefined : "true"}
                    onClick={() => {
                      setOpen(false);
                      onOpen(null);
                    }}
                  >
                    <Trans>Without a view</Trans>
                  </button>
                </li>
                {(views.data?.items ?? []).map((one) => (
                  <li key={one.id}>
                    <button
                      type="button"
                      className={classes.view}
                      aria-current={one.id === view?.id ? "true" : undefined}
                      onClick={() => {
                        setOpen(false);
                        onOpen(one);
                      }}
                    >
                      {one.visibility === "shared" ? (
                        <IconUsers size={15} aria-label={t`shared`} />
                      ) : (
                        <IconUser size={15} aria-label={t`personal`} />
                      )}
                      <span className={classes.text}>{one.name}</span>
                    </button>
                    {own(one) ? (
                      <>
                        <ActionIcon
                          size="sm"
                          aria-label={t`Open ${one.name} by default`}
                          aria-pressed={one.is_default}
                          onClick={() =>
                            change.mutate(
                              { id: one.id, is_default: !one.is_default },
                              { onError: failed },
                            )
                          }
                        >
                          {one.is_default ? (
                            <IconStarFilled size={15} aria-hidden />
                          ) : (
                            <IconStar size={15} aria-hidden />
                          )}
                        </ActionIcon>
                        <ActionIcon
                          size="sm"
                          aria-label={t`Rename ${one.name}`}
                          onClick={() => setForm({ kind: "rename", view: one })}
                        >
                          <IconPencil size={15} aria-hidden />
                        </ActionIcon>
                        <ActionIcon
                          size="sm"
                          aria-label={t`Delete ${one.name}`}
                          onClick={() => drop(one)}
                        >
                          <IconTrash size={15} aria-hidden />
                        </ActionIcon>
                      </>
                    ) : null}
                  </li>
                ))}
              </ul>
              {views.error ? (
                <ErrorNotice
                  error={views.error}
                  title={t`The views could not be loaded`}
                  onRetry={() => void views.refetch()}
                />
              ) : null}
              <Group gap="xs">
                {view && changed && own(view) ? (
                  <Button size="xs" loading={change.isPending} onClick={save}>
                    <Trans>Save</Trans>
                  </Button>
                ) : null}
                <Button size="xs" variant="default" onClick={() => setForm({ kind: "new" })}>
                  <Trans>Save as…</Trans>
                </Button>
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconLink size={15} aria-hidden />}
                  onClick={() => void copyLink()}
                >
                  <Trans>Copy link</Trans>
                </Button>
              </Group>
            </>
          )}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}

type FormProps = {
  view: View | undefined;
  mayShare: boolean;
  busy: boolean;
  error: unknown;
  onCancel: () => void;
  onSubmit: (values: { name: string; visibility: Visibility; is_default: boolean }) => void;
};

function ViewForm({ view, mayShare, busy, error, onCancel, onSubmit }: FormProps) {
  const { t } = useLingui();
  const [name, setName] = useState(view?.name ?? "");
  const [visibility, setVisibility] = useState<Visibility>(view?.visibility ?? "personal");
  const [isDefault, setDefault] = useState(view?.is_default ?? false);
  function submit(event: FormEvent): void {
    event.preventDefault();
    if (name.trim()) onSubmit({ name: name.trim(), visibility, is_default: isDefault });
  }
  return (
    <form onSubmit={submit} className={classes.chooser}>
      <TextInput
        size="xs"
        label={t`Name of the view`}
        data-autofocus
        required
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      {mayShare ? (
        <SegmentedControl
          size="xs"
          fullWidth
          aria-label={t`Who sees it`}
          value={visibility}
          onChange={(value) => setVisibility(value as Visibility)}
          data={[
            { value: "personal", label: t`Only me` },
            { value: "shared", label: t`The whole project` },
          ]}
        />
      ) : null}
      <Switch
        label={t`Open the runs with it`}
        checked={isDefault}
        onChange={(event) => setDefault(event.currentTarget.checked)}
      />
      {error ? <ErrorNotice error={error} title={t`The view could not be saved`} /> : null}
      <Group gap="xs">
        <Button type="submit" size="xs" loading={busy} disabled={!name.trim()}>
          <Trans>Save</Trans>
        </Button>
        <Button size="xs" variant="default" onClick={onCancel}>
          <Trans>Cancel</Trans>
        </Button>
      </Group>
    </form>
  );
}
