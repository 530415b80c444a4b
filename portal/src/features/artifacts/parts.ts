/** Large files in parts: several at a time, each tried again, and taken up where a connection broke. */

import { sendFile } from "@/api/files";
import type { Upload } from "@/api/generated/models/upload";
import {
  abandonUpload,
  beginUpload,
  completeUpload,
  getPutPartUrl,
  getUpload,
} from "@/api/generated/uploads/uploads";
import { isProblem } from "@/api/problem";

/** Files from this size on are sent in parts, in bytes. */
export const inPartsFrom = 64 * 1024 * 1024;
const atOnce = 3;
const tries = 5;
const firstPause = 500;
/** No answer, too much at once, a service that restarts or is busy. */
const passing = new Set([0, 429, 502, 503, 504]);

/** What was begun and not completed, by the file it is of: a retry goes on with it. */
const begun = new WeakMap<File, { path: string; id: string }>();

type Progress = (sent: number) => void;

/** Sends a file so that a broken connection costs the part under way alone; an abort forgets all of it. */
export async function sendInParts(
  runId: string,
  path: string,
  file: File,
  onProgress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const upload = await resumed(runId, path, file);
  begun.set(file, { path, id: upload.id });
  const stop = () => void abandonUpload(upload.id).catch(() => undefined);
  // Who stopped it while it was being begun gets no event any more.
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  try {
    await sendParts(upload, file, onProgress, signal);
    // Asked again, the server answers the same file, so that an answer that was lost costs nothing.
    await patiently(() => completeUpload(upload.id, {}, { signal }), signal);
    begun.delete(file);
  } finally {
    signal.removeEventListener("abort", stop);
    if (signal.aborted) begun.delete(file);
  }
}

async function resumed(runId: string, path: string, file: File): Promise<Upload> {
  const before = begun.get(file);
  if (before?.path === path) {
    try {
      return await getUpload(before.id);
    } catch (error) {
      if (!isProblem(error) || error.status !== 404) throw error;
    }
  }
  return beginUpload(runId, { path, size: file.size });
}

async function sendParts(
  upload: Upload,
  file: File,
  onProgress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { id, part_size: size } = upload;
  const there = new Set(upload.parts.map(({ number }) => number));
  const count = Math.ceil(file.size / size);
  const left = Array.from({ length: count }, (_, index) => index + 1).filter(
    (number) => !there.has(number),
  );
  const sent = new Map<number, number>(upload.parts.map((part) => [part.number, part.size]));
  const tell = (number: number, bytes: number) => {
    sent.set(number, bytes);
    onProgress([...sent.values()].reduce((sum, one) => sum + one, 0));
  };
  // One part that fails for good ends the others, which are taken up again by a retry.
  const others = new AbortController();
  const either = AbortSignal.any([signal, others.signal]);
  async function work(): Promise<void> {
    for (let number = left.shift(); number !== undefined; number = left.shift()) {
      const content = file.slice((number - 1) * size, number * size);
      const now = number;
      await patiently(
        () =>
          sendFile(getPutPartUrl(id, now), content, {
            onProgress: (bytes) => tell(now, Math.min(bytes, content.size)),
            signal: either,
          }),
        either,
      );
      tell(now, content.size);
    }
  }
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, left.length) }, work));
  } catch (error) {
    others.abort();
    throw error;
  }
}

/** Tries again what may pass: a connection that broke, a service that restarts or is busy. What the server
 * is still putting together is asked for until it is done, as its size and not a fault makes that long.
 */
async function patiently<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failed = 0; ; ) {
    try {
      return await act();
    } catch (error) {
      const passes = isProblem(error) && passing.has(error.status);
      if (!isProblem(error, "upload-joining")) failed += 1;
      if (!passes || failed === tries || signal.aborted) throw error;
      await pause(firstPause * 2 ** Math.max(0, failed - 1), signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(end);
      reject(new DOMException("The upload was stopped.", "AbortError"));
    });
  });
}
