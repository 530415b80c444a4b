/** The portal's words for the server's problem codes; what is not listed shows the server's own detail. */

import type { I18n, MessageDescriptor } from "@lingui/core";
import { msg, plural } from "@lingui/core/macro";
import { useLingui } from "@lingui/react";
import { useCallback } from "react";
import { isProblem } from "@/api/problem";

const texts: Record<string, MessageDescriptor> = {
  forbidden: msg`Your role does not allow this.`,
  "not-found": msg`This does not exist, or you have no access to it.`,
  "precondition-failed": msg`Somebody else changed this meanwhile. Reload to see the change, then try again.`,
  network: msg`The server does not answer. Check the connection; nothing you typed is lost.`,
  "not-signed-in": msg`Your session has ended. Sign in again to go on.`,
  "wrong-credentials": msg`The e-mail address or the password is wrong.`,
  "email-taken": msg`This e-mail address already has an account.`,
  "registration-closed": msg`Registration is closed here. Ask an administrator for an account.`,
  "user-deactivated": msg`This account is deactivated. Ask an administrator.`,
  "reset-token-invalid": msg`This reset link has been used or is too old. Ask for a new one.`,
  "wrong-password": msg`The current password is wrong.`,
  "project-slug-taken": msg`A project with this address already exists. Choose another address.`,
  "project-archived": msg`This project is archived. Restore it to change anything in it.`,
  "last-owner": msg`A project needs at least one owner. Make somebody else an owner first.`,
  "last-admin": msg`There must be at least one administrator.`,
  "experiment-name-taken": msg`The project already has an experiment of this name.`,
  "experiment-archived": msg`This experiment is archived. Restore it to change it.`,
  "run-archived": msg`This run is archived. Restore it to change it.`,
  "limit-exceeded": msg`This is more than the server keeps of its kind.`,
  "transition-not-allowed": msg`This change of status is not possible.`,
  "status-conflict": msg`Somebody else changed the status at the same moment.`,
  "param-already-set": msg`This parameter already has another value; parameters do not change.`,
  "too-many-requests": msg`Too many requests at once, and this one was not done. Wait a moment.`,
  "idempotency-key-in-flight": msg`The same request is still being worked on. Wait a moment.`,
};

const byStatus: Record<number, MessageDescriptor> = {
  403: msg`Your role does not allow this.`,
  404: msg`This does not exist, or you have no access to it.`,
  412: msg`Somebody else changed this meanwhile. Reload to see the change, then try again.`,
  413: msg`This is too large for the server.`,
  429: msg`Too many attempts. Wait a little before the next one.`,
  500: msg`The server failed. The error has been recorded.`,
  502: msg`A part of the server is not running. Try again in a moment.`,
  503: msg`A part of the server is not ready. Try again in a moment.`,
  504: msg`The server took too long to answer. Try again in a moment.`,
};

export function problemText(error: unknown, i18n: I18n): string {
  if (!isProblem(error)) return i18n._(msg`Something unexpected went wrong in the portal.`);
  if (error.status === 429 && error.retryAfter) {
    const seconds = error.retryAfter;
    if (error.code === "too-many-requests") {
      return i18n._(
        msg({
          message: plural(seconds, {
            one: "Too many requests at once, and this one was not done. Try again in # second.",
            other: "Too many requests at once, and this one was not done. Try again in # seconds.",
          }),
        }),
      );
    }
    return i18n._(
      msg({
        message: plural(seconds, {
          one: "Too many attempts. Try again in # second.",
          other: "Too many attempts. Try again in # seconds.",
        }),
      }),
    );
  }
  const known = texts[error.code];
  if (known) return i18n._(known);
  if (error.detail && error.status < 500) return error.detail;
  const generic = byStatus[error.status];
  return generic ? i18n._(generic) : error.title;
}

export function useProblemText(): (error: unknown) => string {
  const { i18n } = useLingui();
  return useCallback((error) => problemText(error, i18n), [i18n]);
}
