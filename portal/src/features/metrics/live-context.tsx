import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { LiveRuns } from "./live";
import { ordinalsOf } from "./queries";
import { mayGrow } from "./runs";

const LiveContext = createContext<LiveRuns | null>(null);

type Props = {
  /** The runs on the page; only those that may still grow are followed. */
  runs: readonly { id: string; status: string }[];
  /** A run's new status, when the stream tells it. */
  onStatus?: (runId: string, status: string) => void;
  children: ReactNode;
};

/** Keeps the page's one stream. */
export function LiveRunsProvider({ runs, onStatus, children }: Props) {
  const heard = useRef(onStatus);
  useEffect(() => {
    heard.current = onStatus;
  });
  const [live] = useState(
    () =>
      new LiveRuns({
        ordinals: ordinalsOf,
        onStatus: (runId, status) => heard.current?.(runId, status),
      }),
  );
  const shown = runs.map(({ id }) => id).join();
  const active = runs
    .filter(mayGrow)
    .map(({ id }) => id)
    .join();
  useEffect(() => live.follow(split(active), split(shown)), [live, active, shown]);
  useEffect(() => () => live.stop(), [live]);
  return <LiveContext value={live}>{children}</LiveContext>;
}

function split(text: string): string[] {
  return text === "" ? [] : text.split(",");
}

export function useLive(): LiveRuns | null {
  return useContext(LiveContext);
}

const nothing = () => () => {};

/** Renders again when `read` gives something else, at most ten times a second. */
export function useLiveValue<Value extends string | number | readonly string[]>(
  read: (live: LiveRuns | null) => Value,
): Value {
  const live = useLive();
  return useSyncExternalStore(live?.subscribe ?? nothing, () => read(live));
}
