/** Whether the server is being heard, told by requests and by live streams, read by the dot in the top bar. */

export type Connection = "connected" | "reconnecting" | "offline";

const states = new Map<string, Connection>();
const listeners = new Set<() => void>();
const worst: Connection[] = ["offline", "reconnecting", "connected"];

/** `source` names who speaks (`http`, a stream's key); `null` takes its word back. */
export function reportConnection(source: string, state: Connection | null): void {
  if (state === null || state === "connected") {
    if (!states.delete(source)) return;
  } else {
    if (states.get(source) === state) return;
    states.set(source, state);
  }
  for (const listener of listeners) listener();
}

export function currentConnection(): Connection {
  const said = new Set(states.values());
  return worst.find((state) => said.has(state)) ?? "connected";
}

export function onConnectionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
