import { useSyncExternalStore } from "react";
import type { Run } from "@/api/generated/models/run";
import { useFormats } from "@/ui/format";

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let second = Math.floor(Date.now() / 1000);

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    // Nobody has kept it while no one listened; React reads it again after subscribing.
    second = Math.floor(Date.now() / 1000);
    timer = setInterval(() => {
      second = Math.floor(Date.now() / 1000);
      for (const tell of listeners) tell();
    }, 1000);
  }
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

/** How long ago: lighter than `TimeText`, for tables of many rows. */
export function Moment({ at }: { at: string | null }) {
  const formats = useFormats();
  // Only minutes matter to a row, so seconds draw it no more often.
  const now = useSyncExternalStore(subscribe, () => Math.floor(second / 30) * 30);
  if (at === null) return <span>—</span>;
  return (
    <time dateTime={at} title={formats.exact(at)}>
      {formats.relative(at, Math.max(now * 1000, Date.parse(at)))}
    </time>
  );
}
