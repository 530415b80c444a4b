/** A live stream that survives: reconnects where it stopped, and rests while nobody looks. */

import { type Connection, reportConnection } from "@/api/connection";
import { address } from "@/api/http";

export type FeedState = "connecting" | "open" | "reconnecting" | "resting";

type Options = {
  /** API path, with its query when it has one. */
  path: string;
  /** What to do with each event by its name; data is the event's text, id is "" where it has none. */
  on: Record<string, (data: string, id: string) => void>;
  onState?: (state: FeedState) => void;
  /** Where to begin: the id of the last event that is already known. */
  after?: string;
};

const hiddenRestMs = 30_000;
const firstRetryMs = 1_000;
const lastRetryMs = 30_000;

const connectionOf: Record<FeedState, Connection | null> = {
  connecting: null,
  open: "connected",
  reconnecting: "reconnecting",
  resting: null,
};

/**
 * Opens the stream and keeps it open until the returned function is called.
 *
 * The browser reconnects by itself with Last-Event-ID as long as the server answers at all; when it gives
 * up (a proxy said 502, the session was renewed) the feed tries again with `?after=` and a growing pause.
 * A tab hidden for half a minute lets go of its connection and catches up when it is looked at again.
 */
export function openFeed({ path, on, onState, after }: Options): () => void {
  let source: EventSource | null = null;
  let lastId = after ?? "";
  let retryMs = firstRetryMs;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function tell(state: FeedState): void {
    reportConnection(path, connectionOf[state]);
    onState?.(state);
  }

  function connect(): void {
    const separator = path.includes("?") ? "&" : "?";
    const query = lastId ? `${separator}after=${encodeURIComponent(lastId)}` : "";
    source = new EventSource(address(path + query));
    source.onopen = () => {
      retryMs = firstRetryMs;
      tell("open");
    };
    source.onerror = () => {
      tell("reconnecting");
      if (source?.readyState !== EventSource.CLOSED) return;
      clearTimeout(timer);
      timer = setTimeout(connect, retryMs);
      retryMs = Math.min(retryMs * 2, lastRetryMs);
    };
    for (const [name, handle] of Object.entries(on)) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        if (event.lastEventId) lastId = event.lastEventId;
        handle(event.data, event.lastEventId);
      });
    }
  }

  function disconnect(): void {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function onVisibility(): void {
    if (document.visibilityState === "hidden") {
      timer = setTimeout(() => {
        disconnect();
        tell("resting");
      }, hiddenRestMs);
    } else if (source === null || source.readyState === EventSource.CLOSED) {
      disconnect();
      tell("connecting");
      connect();
    } else {
      clearTimeout(timer);
    }
  }

  document.addEventListener("visibilitychange", onVisibility);
  tell("connecting");
  connect();
  return () => {
    document.removeEventListener("visibilitychange", onVisibility);
    disconnect();
    reportConnection(path, null);
  };
}
