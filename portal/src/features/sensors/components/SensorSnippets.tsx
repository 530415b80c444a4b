import { useLingui } from "@lingui/react/macro";
import { SegmentedControl, Stack } from "@mantine/core";
import { useState } from "react";
import { address } from "@/api/http";
import { CodeSnippet } from "@/ui/CodeSnippet";
import { type Snippet, snippetsFor } from "../snippets";

type Props = {
  /** The secret where it is known; a place for it otherwise. */
  token?: string;
  signal: string | undefined;
};

/** Lines that send a first reading, with this server's address. */
export function SensorSnippets({ token = "rb_sensor_…", signal = "temperature" }: Props) {
  const { t } = useLingui();
  const [chosen, setChosen] = useState<Snippet["id"]>("python");
  const origin = new URL(address("/")).origin;
  const snippets = snippetsFor({ origin, token, signal });
  const code = snippets.find(({ id }) => id === chosen)?.code ?? "";
  const names: Record<Snippet["id"], string> = { python: "Python", shell: "curl", esp32: "ESP32" };
  return (
    <Stack gap="xs">
      <SegmentedControl
        size="xs"
        aria-label={t`Language of the lines`}
        value={chosen}
        onChange={(id) => setChosen(id as Snippet["id"])}
        data={snippets.map(({ id }) => ({ value: id, label: names[id] }))}
      />
      <CodeSnippet code={code} copyLabel={t`Copy the lines that send a reading`} />
    </Stack>
  );
}
