import {
  createContext,
  type ReactNode,
  useContext,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { LiveRun } from "./live";
import { ordinalOf } from "./queries";

const LiveContext = createContext<LiveRun | null>(null);

type Props = {
  runId: string;
  /** Whether anything may still arrive: a finished run keeps no stream open. */
  active: boolean;
  /** The run's new status, when the stream tells it. */
  onStatus: (status: string) => void;
  children: ReactNode;
};

/** Keeps the page's one stream. */
export function LiveRunProvider({ runId, active, onStatus, children }: Props) {
  const [live, setLive] = useState<LiveRun | null>(null);
  const heard = useRef(onStatus);
  useEffect(() => {
    heard.current = onStatus;
  });
  useEffect(() => {
    if (!active) return;
    const opened = new LiveRun(runId, (status) => heard.current(status));
    void opened.open(() => ordinalOf(runId));
    setLive(opened);
    return () => opened.stop();
  }, [runId, active]);
  // The last stream stays readable after the run has ended, so that no point vanishes from a chart.
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): LiveRun | null {
  return useContext(LiveContext);
}

const nothing = () => () => {};

/** Renders again when `read` gives something else, at most ten times a second. */
export function useLiveValue<Value extends string | number | readonly string[]>(
  read: (live: LiveRun | null) => Value,
): Value {
  const live = useLive();
  return useSyncExternalStore(live?.subscribe ?? nothing, () => read(live));
}
