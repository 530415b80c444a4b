import { useLingui } from "@lingui/react/macro";
import { Button, Group, Stack, Text } from "@mantine/core";
import { IconFileUpload, IconFolders, IconFolderUp } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import {
  type ChangeEvent,
  type DragEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import { sendFile } from "@/api/files";
import { invalidatePath } from "@/api/invalidate";
import { EmptyState } from "@/ui/EmptyState";
import { ErrorNotice } from "@/ui/ErrorNotice";
import { announceFailure } from "@/ui/notices";
import { Panel } from "@/ui/Panel";
import { TableSkeleton } from "@/ui/TableSkeleton";
import { chosenFiles, droppedFiles } from "../chosen";
import { inPartsFrom, sendInParts } from "../parts";
import { fileAddress, folderOf, foldersOf, nameOf } from "../paths";
import { entryQuery, pathsIn, useFolders, useOpenFolders } from "../queries";
import { rowsOf } from "../tree";
import { type ChosenFile, isUploading, uploadsOf } from "../uploads";
import classes from "./Artifacts.module.css";
import { ArtifactTree } from "./ArtifactTree";
import { FilePane } from "./FilePane";
import { FolderDownload } from "./FolderDownload";
import { RunInputs, type RunLink } from "./Provenance";
import { UploadList } from "./UploadList";

type Props = {
  runId: string;
  projectId: string;
  canEdit: boolean;
  /** Whether somebody may vouch for files. */
  canApprove: boolean;
  runLink: RunLink;
  /** The path that is shown beside the tree. */
  chosen: string | null;
  onChoose: (path: string | null) => void;
  /** How files are kept from a program. */
  hint: ReactNode;
};

/** The files of a run: a tree, what is in one of them beside it, and uploads. */
export function RunArtifacts(props: Props) {
  const { runId, projectId, canEdit, canApprove, runLink, chosen, onChoose, hint } = props;
  const { t } = useLingui();
  const client = useQueryClient();
  const { open, change } = useOpenFolders(chosen ? foldersOf(chosen) : []);
  const { branches, more } = useFolders(runId, open);
  const rows = useMemo(() => rowsOf(branches, open), [branches, open]);
  const listed = rows.find((row) => row.kind === "entry" && row.entry.path === chosen);
  const hidden = useQuery({
    ...entryQuery(runId, chosen ?? ""),
    enabled: chosen !== null && !listed && !rows.some((row) => row.kind === "rest" && row.loading),
  });
  const entry = listed?.kind === "entry" ? listed.entry : (hidden.data ?? null);
  const folder = chosen === null ? "" : entry?.kind === "folder" ? chosen : folderOf(chosen);

  const uploads = useMemo(
    () =>
      uploadsOf(runId, () => ({
        send: (path, file, onProgress, signal) =>
          file.size >= inPartsFrom
            ? sendInParts(runId, path, file, onProgress, signal)
            : sendFile(fileAddress(runId, path), file, { onProgress, signal }),
        pathsIn: (folder) => pathsIn(runId, folder),
        onStored: () => void invalidatePath(client, `/api/v1/runs/${runId}/artifacts`),
      })),
    [client, runId],
  );
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (isUploading()) event.preventDefault();
    };
    window.addEventListener("beforeunload", warn);
    return () => window.removeEventListener("beforeunload", warn);
  }, []);

  const fold = useCallback((path: string, isOpen: boolean) => change([path], isOpen), [change]);
  const take = useCallback(
    (files: readonly ChosenFile[]) => {
      void uploads.add(files);
      if (folder) change([...foldersOf(folder), folder], true);
    },
    [uploads, folder, change],
  );
  const drop = useDrop(canEdit, (data) => {
    droppedFiles(data, folder).then(take, (error: unknown) =>
      announceFailure(t`The files could not be read`, error),
    );
  });

  const root = branches.get("");
  if (root?.error && root.entries.length === 0) {
    const again = () => void invalidatePath(client, `/api/v1/runs/${runId}/artifacts`);
    return (
      <ErrorNotice error={root.error} title={t`The files could not be loaded`} onRetry={again} />
    );
  }
  if (!root || root.loading) return <TableSkeleton columns={3} />;
  const isEmpty = root.entries.length === 0;

  return (
    <Stack gap="lg">
      <section {...drop.events} aria-label={t`Files of the run`}>
        <Panel
          title={t`Artifacts`}
          flush
          lead={
            canEdit
              ? folder
                ? t`Drop files or folders here to put them into ${folder}.`
                : t`Drop files or folders here to keep them with the run.`
              : undefined
          }
          actions={
            <Group gap="xs">
              {isEmpty ? null : <FolderDownload runId={runId} folder="" />}
              {canEdit ? <Choosers folder={folder} onFiles={take} /> : null}
            </Group>
          }
        >
          <UploadList uploads={uploads} />
          <div className={drop.isOver ? classes.dropping : undefined}>
            {isEmpty ? (
              <EmptyState icon={<IconFolders size={28} />} title={t`No files yet`} more={hint}>
                {t`Models, pictures, tables and whatever else a run makes are kept here, each with its digest.`}
              </EmptyState>
            ) : (
              <div className={classes.columns}>
                <div className={classes.side}>
                  <ArtifactTree
                    key={runId}
                    label={t`Files`}
                    rows={rows}
                    chosen={chosen}
                    onChoose={onChoose}
                    onFold={fold}
                    onMore={more}
                  />
                </div>
                <div className={classes.shown}>
                  {entry ? (
                    <FilePane
                      key={`${entry.path} ${entry.sha256}`}
                      runId={runId}
                      projectId={projectId}
                      entry={entry}
                      canEdit={canEdit}
                      canApprove={canApprove}
                      runLink={runLink}
                      onGone={() => onChoose(folderOf(entry.path) || null)}
                    />
                  ) : chosen && hidden.isFetched ? (
                    <Text c="dimmed">{t`There is no file “${nameOf(chosen)}” any more.`}</Text>
                  ) : (
                    <Text c="dimmed">{t`Choose a file to see what is in it.`}</Text>
                  )}
                </div>
              </div>
            )}
          </div>
        </Panel>
      </section>
      <RunInputs runId={runId} projectId={projectId} runLink={runLink} />
    </Stack>
  );
}

type ChoosersProps = { folder: string; onFiles: (files: readonly ChosenFile[]) => void };

function Choosers({ folder, onFiles }: ChoosersProps) {
  const { t } = useLingui();
  const files = useRef<HTMLInputElement>(null);
  const whole = useRef<HTMLInputElement>(null);
  const taken = (event: ChangeEvent<HTMLInputElement>) => {
    onFiles(chosenFiles(event.currentTarget.files, folder));
    event.currentTarget.value = "";
  };
  return (
    <Group gap="xs">
      <Button
        size="xs"
        leftSection={<IconFileUpload size={16} aria-hidden />}
        onClick={() => files.current?.click()}
      >
        {t`Upload files`}
      </Button>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconFolderUp size={16} aria-hidden />}
        onClick={() => whole.current?.click()}
      >
        {t`Upload a folder`}
      </Button>
      <input
        ref={files}
        type="file"
        multiple
        aria-label={t`Files to upload`}
        className={classes.chooser}
        onChange={taken}
      />
      <input
        ref={(input) => {
          whole.current = input;
          input?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        aria-label={t`Folder to upload`}
        className={classes.chooser}
        onChange={taken}
      />
    </Group>
  );
}

/** Takes files that are dropped on an element; text and links that are dragged are left alone. */
function useDrop(isOn: boolean, onDrop: (data: DataTransfer) => void) {
  const [isOver, setOver] = useState(false);
  const bringsFiles = ({ dataTransfer }: DragEvent) => isOn && dataTransfer.types.includes("Files");
  return {
    isOver,
    events: {
      onDragOver: (event: DragEvent) => {
        if (!bringsFiles(event)) return;
        event.preventDefault();
        setOver(true);
      },
      onDragLeave: ({ currentTarget, relatedTarget }: DragEvent) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) setOver(false);
      },
      onDrop: (event: DragEvent) => {
        if (!bringsFiles(event)) return;
        event.preventDefault();
        setOver(false);
        onDrop(event.dataTransfer);
      },
    },
  };
}
