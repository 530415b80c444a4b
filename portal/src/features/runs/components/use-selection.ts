import { useCallback, useMemo, useState } from "react";
import type { RunSearch } from "../filter";

/** More ids than these make an address that nobody can send; they then last as long as the page. */
const inAddress = 50;
const none: ReadonlySet<string> = new Set();

/** The selected runs, in the address while they are few enough. */
export function useSelection(
  search: RunSearch,
  onSearch: (change: Partial<RunSearch>) => void,
): [ReadonlySet<string>, (ids: ReadonlySet<string>) => void] {
  const [many, setMany] = useState<ReadonlySet<string> | null>(null);
  const few = useMemo(() => (search.selected ? new Set(search.selected) : none), [search.selected]);
  const select = useCallback(
    (ids: ReadonlySet<string>) => {
      const fits = ids.size <= inAddress;
      setMany(fits ? null : ids);
      onSearch({ selected: fits && ids.size > 0 ? [...ids] : undefined });
    },
    [onSearch],
  );
  return [few.size > 0 ? few : (many ?? none), select];
}
