import { Trans } from "@lingui/react/macro";
import { Button, Group, Text, TextInput } from "@mantine/core";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import classes from "@/ui/ConfirmInPlace.module.css";

type Props = {
  /** The control that starts it; gets `open` to call. */
  trigger: (open: () => void) => ReactNode;
  /** The question, in full: "Revoke the token “ci”? Programs that use it stop working." */
  question: ReactNode;
  /** The verb on the button: "Revoke". */
  action: string;
  onConfirm: () => void;
  busy?: boolean;
  /** Must be typed before the button works, for what cannot be undone easily. */
  typed?: { label: ReactNode; value: string };
  /** What there is to choose before. */
  children?: ReactNode;
};

/** Asks where the button was, instead of a dialog over the page. Escape takes it back. */
export function ConfirmInPlace(props: Props) {
  const { trigger, question, action, onConfirm, busy, typed, children } = props;
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const box = useRef<HTMLDivElement>(null);
  const wasOpen = useRef(false);
  const id = useId();

  useEffect(() => {
    if (open) box.current?.querySelector<HTMLElement>("input, button")?.focus();
    else if (wasOpen.current) box.current?.querySelector<HTMLElement>("button")?.focus();
    wasOpen.current = open;
  }, [open]);

  if (!open) {
    return (
      <div ref={box} className={classes.closed}>
        {trigger(() => {
          setText("");
          setOpen(true);
        })}
      </div>
    );
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset inside table cells brings its own layout
    <div
      ref={box}
      role="group"
      aria-labelledby={id}
      className={classes.open}
      onKeyDown={(event) => {
        if (event.key === "Escape") {
          event.stopPropagation();
          setOpen(false);
        }
      }}
    >
      <Text size="sm" id={id}>
        {question}
      </Text>
      {children}
      {typed ? (
        <TextInput
          size="xs"
          label={typed.label}
          value={text}
          autoComplete="off"
          onChange={(event) => setText(event.currentTarget.value)}
        />
      ) : null}
      <Group gap="xs" wrap="nowrap">
        <Button
          size="xs"
          color="red"
          loading={busy}
          disabled={typed !== undefined && text !== typed.value}
          onClick={() => {
            onConfirm();
            setOpen(false);
          }}
        >
          {action}
        </Button>
        <Button size="xs" variant="default" onClick={() => setOpen(false)}>
          <Trans>Cancel</Trans>
        </Button>
      </Group>
    </div>
  );
}
