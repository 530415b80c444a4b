import { useMediaQuery } from "@mantine/hooks";

/** Whether there is no room for a table and charts side by side. */
export function useNarrow(): boolean {
  return useMediaQuery("(max-width: 48em)") ?? false;
}
