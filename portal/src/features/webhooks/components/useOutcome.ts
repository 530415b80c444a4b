import { useLingui } from "@lingui/react/macro";
import { failureNames } from "../words";

type Call = { last_status: number | null; last_failure: string | null };

/** How the last call went, as one short text; empty before the first. */
export function useOutcome(): (call: Call) => string {
  const { t } = useLingui();
  return ({ last_status: status, last_failure: failure }) => {
    if (status !== null) return t`Answered ${status}`;
    const known = failure ? failureNames[failure] : undefined;
    return known ? t(known) : (failure ?? "");
  };
}
