import { i18n } from "@lingui/core";
import { notifications } from "@mantine/notifications";
import type { ReactNode } from "react";
import { isProblem } from "@/api/problem";
import { problemText } from "@/ui/problem-text";

/** A short word that something worked. */
export function announce(message: ReactNode): void {
  notifications.show({ message, withBorder: true, autoClose: 4000, color: "teal" });
}

/** Says that an action failed; stays until closed, because it may have to be copied. */
export function announceFailure(title: ReactNode, error: unknown): void {
  const trace = isProblem(error) && error.traceId ? ` (${error.traceId})` : "";
  notifications.show({
    title,
    message: problemText(error, i18n) + trace,
    withBorder: true,
    autoClose: false,
    color: "red",
  });
}

/** Says that only a part worked; stays until closed. */
export function announceWarning(title: ReactNode, message: ReactNode): void {
  notifications.show({ title, message, withBorder: true, autoClose: false, color: "yellow" });
}
