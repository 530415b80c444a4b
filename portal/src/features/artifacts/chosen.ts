/** Files that somebody chose or dropped, with their paths below the folder that was chosen with them. */

import { below } from "./paths";
import type { ChosenFile } from "./uploads";

/** Of an `<input type="file">`, with or without `webkitdirectory`. */
export function chosenFiles(list: FileList | null, folder: string): ChosenFile[] {
  return Array.from(list ?? [], (file) => ({
    file,
    path: below(folder, file.webkitRelativePath || file.name),
  }));
}

/** Of a drop, folders with all that is in them. Has to be called while the event is being handled. */
export async function droppedFiles(data: DataTransfer, folder: string): Promise<ChosenFile[]> {
  const entries = Array.from(data.items)
    .filter(({ kind }) => kind === "file")
    .map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  const found: ChosenFile[] = [];
  for (const { entry, file } of entries) {
    if (entry) await collect(entry, folder, found);
    else if (file) found.push({ file, path: below(folder, file.name) });
  }
  return found;
}

async function collect(entry: FileSystemEntry, folder: string, found: ChosenFile[]) {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    found.push({ file, path: below(folder, entry.name) });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A browser gives a hundred at a time, and none when there are no more.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const one of some) await collect(one, below(folder, entry.name), found);
  }
}
