import { useLingui } from "@lingui/react/macro";
import { Group, Switch, Text } from "@mantine/core";
import { useState } from "react";
import { CopyButton } from "@/ui/CopyButton";
import classes from "./Artifacts.module.css";
import { Scrolling } from "./Scrolling";

type Props = { text: string; label: string; note?: string | null };

/** Text as it stands. */
export function TextPreview({ text, label, note }: Props) {
  const { t } = useLingui();
  const [wraps, setWraps] = useState(false);
  return (
    <div>
      <Group justify="space-between" mb="xs">
        <Switch
          size="xs"
          label={t`Wrap long lines`}
          checked={wraps}
          onChange={(event) => setWraps(event.currentTarget.checked)}
        />
        <CopyButton text={text} label={t`Copy the text`} />
      </Group>
      <Scrolling
        label={label}
        className={wraps ? `${classes.text} ${classes.wrapped}` : classes.text}
      >
        <pre>{text}</pre>
      </Scrolling>
      {note ? (
        <Text size="sm" c="dimmed" mt="xs">
          {note}
        </Text>
      ) : null}
    </div>
  );
}
