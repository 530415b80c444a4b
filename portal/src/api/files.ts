/** Contents of files: sent with progress, read in part. JSON goes through `http.ts`. */

import { reportConnection } from "@/api/connection";
import { address, csrfHeader, refused, withFreshToken } from "@/api/http";
import { networkProblem } from "@/api/problem";
import { newTrace } from "@/api/trace";

export type Sending = {
  /** How many bytes have left so far. */
  onProgress?: (sent: number) => void;
  signal?: AbortSignal;
};

/** PUTs bytes; answers what the server says of them. An aborted one rejects with an AbortError. */
export function sendFile<T>(path: string, content: Blob, sending: Sending = {}): Promise<T> {
  return withFreshToken(() => put<T>(path, content, sending));
}

// XMLHttpRequest, since fetch tells nothing about how much of a body has been sent.
function put<T>(path: string, content: Blob, { onProgress, signal }: Sending): Promise<T> {
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    const aborted = () => reject(new DOMException("The upload was stopped.", "AbortError"));
    if (signal?.aborted) return aborted();
    sent.open("PUT", address(path));
    const trace = newTrace();
    const headers = {
      traceparent: trace.traceparent,
      Accept: "application/json, application/problem+json",
      "Content-Type": "application/octet-stream",
      ...csrfHeader(),
    };
    for (const [name, value] of Object.entries(headers)) sent.setRequestHeader(name, value);
    const stop = () => sent.abort();
    signal?.addEventListener("abort", stop);
    sent.upload.addEventListener("progress", ({ loaded }) => onProgress?.(loaded));
    sent.addEventListener("abort", aborted);
    sent.addEventListener("error", () => {
      reportConnection("http", navigator.onLine ? "reconnecting" : "offline");
      reject(networkProblem(trace.id));
    });
    sent.addEventListener("load", () => {
      reportConnection("http", "connected");
      if (sent.status >= 200 && sent.status < 300) {
        resolve((sent.responseText ? JSON.parse(sent.responseText) : undefined) as T);
        return;
      }
      const answer = new Response(sent.responseText || null, { status: sent.status });
      refused(answer, trace.id).then(reject, reject);
    });
    sent.addEventListener("loadend", () => signal?.removeEventListener("abort", stop));
    sent.send(content);
  });
}

/** The first `limit` bytes of a file, or all of it. */
export async function readFile(path: string, limit: number, signal?: AbortSignal): Promise<Blob> {
  const trace = newTrace();
  const headers = { Range: `bytes=0-${limit - 1}`, traceparent: trace.traceparent };
  let response: Response;
  try {
    response = await fetch(address(path), { headers, signal, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw networkProblem(trace.id);
  }
  // Nothing of an empty file can be asked for.
  if (response.status === 416) return new Blob();
  if (!response.ok) throw await refused(response, trace.id);
  return response.blob();
}

/** A file that the server makes of what is sent to it. */
export function readAnswer(path: string, asked: object): Promise<Blob> {
  return withFreshToken(async () => {
    const trace = newTrace();
    const headers = {
      "Content-Type": "application/json",
      traceparent: trace.traceparent,
      ...csrfHeader(),
    };
    const init = { method: "POST", headers, body: JSON.stringify(asked) };
    let response: Response;
    try {
      response = await fetch(address(path), { ...init, credentials: "same-origin" });
    } catch {
      throw networkProblem(trace.id);
    }
    if (!response.ok) throw await refused(response, trace.id);
    return response.blob();
  });
}
