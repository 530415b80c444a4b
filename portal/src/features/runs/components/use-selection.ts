import { useCallback, useMemo, useState } from "react";
import type { Workspace } from "../workspace";

/** More ids than these make an address that nobody can send; they then last as long as the page. */
const inAddress = 50;
const none: ReadonlySet<string> = new Set();

/** The selected runs, in the address while they are few enough. */
export function useSelection(
  workspace: Workspace,
  onWorkspace: (change: Partial<Workspace>) => void,
): [ReadonlySet<string>, (ids: ReadonlySet<string>) => void] {
  const [many, setMany] = useState<ReadonlySet<string> | null>(null);
  const kept = workspace.selected;
  const few = useMemo(() => (kept ? new Set(kept) : none), [kept]);
  const select = useCallback(
    (ids: ReadonlySet<string>) => {
      const fits = ids.size <= inAddress;
      setMany(fits ? null : ids);
      onWorkspace({ selected: fits && ids.size > 0 ? [...ids] : undefined });
    },
    [onWorkspace],
  );
  return [few.size > 0 ? few : (many ?? none), select];
}
