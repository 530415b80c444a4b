import { useLingui } from "@lingui/react/macro";

/** Makes the eye of a password field reachable by keyboard and named. */
export function usePasswordToggle() {
  const { t } = useLingui();
  return { "aria-label": t`Show or hide the password`, tabIndex: 0, "aria-hidden": false } as const;
}
