import { Group, Kbd } from "@mantine/core";
import { Fragment } from "react";
import { type ShortcutId, shortcutCatalogue } from "@/ui/shortcut-catalogue";
import { keyCaps } from "@/ui/shortcuts";

/** The keys of a shortcut, as printed on the keyboard. */
export function KeyHint({ id }: { id: ShortcutId }) {
  const steps = keyCaps(shortcutCatalogue[id].keys).map((caps) => ({ caps, key: caps.join("+") }));
  return (
    <Group gap={4} wrap="nowrap" component="span" display="inline-flex">
      {steps.map(({ caps, key }) => (
        <Fragment key={key}>
          {caps.map((cap) => (
            <Kbd key={cap} size="xs">
              {cap}
            </Kbd>
          ))}
        </Fragment>
      ))}
    </Group>
  );
}
