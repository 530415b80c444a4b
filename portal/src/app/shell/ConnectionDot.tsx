import { useLingui } from "@lingui/react/macro";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { currentConnection, onConnectionChange, reportConnection } from "@/api/connection";
import { request } from "@/api/http";
import { isProblem } from "@/api/problem";
import classes from "@/app/shell/Shell.module.css";

const retryEvery = 5_000;

/** Says whether the server is heard; while it is not, asks again and refreshes the page when it answers. */
export function ConnectionDot() {
  const { t } = useLingui();
  const client = useQueryClient();
  const state = useSyncExternalStore(onConnectionChange, currentConnection);
  const lost = state !== "connected";

  useEffect(() => {
    const offline = () => reportConnection("browser", "offline");
    const online = () => reportConnection("browser", "connected");
    window.addEventListener("offline", offline);
    window.addEventListener("online", online);
    return () => {
      window.removeEventListener("offline", offline);
      window.removeEventListener("online", online);
    };
  }, []);

  useEffect(() => {
    if (!lost) return;
    const timer = setInterval(async () => {
      try {
        await request("/auth/me");
      } catch (error) {
        if (!isProblem(error) || error.status === 0 || error.status >= 500) return;
      }
      await client.invalidateQueries();
    }, retryEvery);
    return () => clearInterval(timer);
  }, [lost, client]);

  const words = { connected: t`Connected`, reconnecting: t`Reconnecting…`, offline: t`Offline` };
  return (
    <span role="status" className={classes.dot} data-state={state} title={words[state]}>
      <span className={lost ? undefined : "rb-visually-hidden"}>{words[state]}</span>
    </span>
  );
}
