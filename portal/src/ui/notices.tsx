import { i18n } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { isProblem } from "@/api/problem";
import { problemText } from "@/ui/problem-text";
import { TraceId } from "@/ui/TraceId";

/** What every notice has: a frame, and a button to close it that says what it does. */
export function closable() {
  return {
    withBorder: true,
    closeButtonProps: { "aria-label": i18n._(msg`Close the notice`) },
  };
}

/** A short word that something worked. */
export function announce(message: ReactNode): void {
  notifications.show({ ...closable(), message, autoClose: 4000, color: "teal" });
}

/** Says that an action failed; stays until closed, because it may have to be copied. */
export function announceFailure(title: ReactNode, error: unknown): void {
  const traceId = isProblem(error) ? error.traceId : null;
  notifications.show({
    ...closable(),
    title,
    message: (
      <>
        {problemText(error, i18n)}
        {traceId ? <TraceId id={traceId} /> : null}
      </>
    ),
    autoClose: false,
    color: "red",
  });
}

/** Says that only a part worked; stays until closed. */
export function announceWarning(title: ReactNode, message: ReactNode): void {
  notifications.show({ ...closable(), title, message, autoClose: false, color: "yellow" });
}
