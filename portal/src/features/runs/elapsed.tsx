import { useSyncExternalStore } from "react";
import type { Run } from "@/api/generated/models/run";
import { useFormats } from "@/ui/format";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let second = Math.floor(Date.now() / 1000);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    second = Math.floor(Date.now() / 1000);
    for (const tell of listeners) tell();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

const still = () => () => {};

/** How long a run took, or has been going: one clock ticks for all of them. */
export function Elapsed({ run }: { run: Pick<Run, "status" | "started_at" | "duration_seconds"> }) {
  const formats = useFormats();
  const going = run.status === "running" && run.started_at !== null;
  const now = useSyncExternalStore(going ? subscribe : still, () => second);
  if (going) {
    const seconds = Math.max(0, now - Date.parse(run.started_at ?? "") / 1000);
    return <span>{formats.duration(Math.max(1, Math.round(seconds)))}</span>;
  }
  return (
    <span>{run.duration_seconds === null ? "—" : formats.duration(run.duration_seconds)}</span>
  );
}
