import { useLingui } from "@lingui/react/macro";
import { useMemo } from "react";
import * as v from "valibot";

/** The rule for new passwords: length alone. The server also refuses common ones. */
export function useNewPassword() {
  const { t } = useLingui();
  return useMemo(
    () => ({
      hint: t`At least 12 characters. A few unrelated words make a good one.`,
      schema: v.pipe(
        v.string(),
        v.minLength(12, t`The password needs at least 12 characters.`),
        v.maxLength(1024, t`This password is too long.`),
      ),
    }),
    [t],
  );
}
