import { Tooltip } from "@mantine/core";
import { useEffect, useState } from "react";
import { useFormats } from "@/ui/format";

type Props = {
  at: string | null | undefined;
  /** `relative` ticks and shows the exact time in a tooltip; the other two stand still. */
  as?: "relative" | "date" | "dateTime";
  empty?: string;
};

export function TimeText({ at, as = "relative", empty = "—" }: Props) {
  const formats = useFormats();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (as !== "relative") return;
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, [as]);

  if (!at) return <span>{empty}</span>;
  const text =
    as === "relative"
      ? formats.relative(at, Math.max(now, Date.now()))
      : as === "date"
        ? formats.date(at)
        : formats.dateTime(at);
  return (
    <Tooltip label={formats.exact(at)}>
      <time dateTime={at}>{text}</time>
    </Tooltip>
  );
}
