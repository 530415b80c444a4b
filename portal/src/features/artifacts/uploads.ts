/** The uploads to a run: a few at a time, with progress, and asked about before they replace anything. */

import { folderOf } from "./paths";

export type UploadState = "waiting" | "exists" | "sending" | "done" | "failed";

export type Upload = {
  readonly id: number;
  readonly path: string;
  readonly size: number;
  readonly state: UploadState;
  /** Bytes that have left. */
  readonly sent: number;
  readonly error: unknown;
};

export type ChosenFile = { path: string; file: File };

export type Sender = {
  send: (
    path: string,
    file: File,
    onProgress: (sent: number) => void,
    signal: AbortSignal,
  ) => Promise<unknown>;
  /** The paths of the files in a folder. */
  pathsIn: (folder: string) => Promise<ReadonlySet<string>>;
  /** Called when files have arrived and nothing is on its way any more, and now and then before. */
  onStored: () => void;
};

const atOnce = 3;
/** How often those who look are told of progress, in milliseconds. */
const tellEvery = 100;

type Kept = Upload & { file: File; stop: AbortController | null };

export class Uploads {
  readonly #kept = new Map<number, Kept>();
  /** Of those that wait, the ones of which it is not known yet whether they replace something. */
  readonly #unchecked = new Set<number>();
  #shown: readonly Upload[] = [];
  #next = 1;
  #telling: ReturnType<typeof setTimeout> | null = null;
  readonly #listeners = new Set<() => void>();

  constructor(readonly sender: Sender) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): readonly Upload[] => this.#shown;

  get busy(): boolean {
    return [...this.#kept.values()].some(({ state }) => state === "waiting" || state === "sending");
  }

  /** Takes files on; those whose path is taken wait for an answer of `replace` or `drop`. */
  async add(files: readonly ChosenFile[]): Promise<void> {
    const added = files.map(({ path, file }): Kept => {
      const id = this.#next++;
      return {
        id,
        path,
        size: file.size,
        file,
        state: "waiting",
        sent: 0,
        error: null,
        stop: null,
      };
    });
    for (const one of added) {
      this.#kept.set(one.id, one);
      this.#unchecked.add(one.id);
    }
    this.#tell();
    const folders = new Map<string, Promise<ReadonlySet<string>>>();
    for (const { id, path } of added) {
      const folder = folderOf(path);
      const paths = folders.get(folder) ?? this.sender.pathsIn(folder);
      folders.set(folder, paths);
      try {
        if ((await paths).has(path)) this.#change(id, { state: "exists" });
      } catch (error) {
        this.#change(id, { state: "failed", error });
      }
      this.#unchecked.delete(id);
      this.#go();
    }
  }

  replace(ids: readonly number[]): void {
    for (const id of ids) this.#change(id, { state: "waiting" }, "exists");
    this.#go();
  }

  retry(ids: readonly number[]): void {
    for (const id of ids) this.#change(id, { state: "waiting", sent: 0, error: null }, "failed");
    this.#go();
  }

  /** Stops uploads and forgets them. */
  drop(ids: readonly number[]): void {
    for (const id of ids) {
      const gone = this.#kept.get(id);
      this.#kept.delete(id);
      gone?.stop?.abort();
    }
    this.#tell();
    this.#go();
  }

  #go(): void {
    const sending = [...this.#kept.values()].filter(({ state }) => state === "sending");
    let free = atOnce - sending.length;
    for (const one of this.#kept.values()) {
      if (free <= 0) return;
      if (one.state !== "waiting" || this.#unchecked.has(one.id)) continue;
      free -= 1;
      void this.#send(one);
    }
  }

  async #send({ id, path, file }: Kept): Promise<void> {
    const stop = new AbortController();
    this.#change(id, { state: "sending", stop });
    try {
      await this.sender.send(path, file, (sent) => this.#change(id, { sent }), stop.signal);
      this.#change(id, { state: "done", sent: file.size, stop: null });
    } catch (error) {
      if (!stop.signal.aborted) this.#change(id, { state: "failed", error, stop: null });
    }
    this.#go();
    if (!this.busy) this.sender.onStored();
  }

  #change(id: number, change: Partial<Kept>, from?: UploadState): void {
    const one = this.#kept.get(id);
    if (!one || (from !== undefined && one.state !== from)) return;
    this.#kept.set(id, { ...one, ...change });
    this.#tell();
  }

  #tell(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = null;
      this.#shown = [...this.#kept.values()];
      for (const listener of this.#listeners) listener();
    }, tellEvery);
  }
}

const ofRuns = new Map<string, Uploads>();

/** The uploads of a run go on while other tabs and pages are looked at. */
export function uploadsOf(runId: string, sender: () => Sender): Uploads {
  const known = ofRuns.get(runId) ?? new Uploads(sender());
  ofRuns.set(runId, known);
  return known;
}

/** Whether any upload would be lost with the page. */
export function isUploading(): boolean {
  return [...ofRuns.values()].some(({ busy }) => busy);
}
