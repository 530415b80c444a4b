/** Paths of files in a run: names with `/` between them. */

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The folder that it stands in; empty for the topmost. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** The folders that a path stands in, the topmost first. */
export function foldersOf(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** A path below a folder, in the one spelling that the server stores. */
export function below(folder: string, path: string): string {
  return (folder ? `${folder}/${path}` : path).normalize("NFC");
}

/** Where a file is read, replaced and removed. The generated client would escape the slashes too. */
export function fileAddress(runId: string, path: string): string {
  return `/api/v1/runs/${runId}/artifacts/${path.split("/").map(encodeURIComponent).join("/")}`;
}
