import { useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";

type Props = {
  /** What lands in the clipboard. */
  text: string;
  /** What is copied, said in full for screen readers: "Copy the trace id". */
  label: string;
  /** Shows this text beside the icon. */
  children?: string;
};

export function CopyButton({ text, label, children }: Props) {
  const { t } = useLingui();
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function copy() {
    await copyText(text);
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), 1800);
  }

  const icon = copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />;
  const name = copied ? t`Copied` : label;
  return (
    <>
      {children === undefined ? (
        <Tooltip label={name}>
          <ActionIcon aria-label={label} onClick={copy} color={copied ? "teal" : "gray"}>
            {icon}
          </ActionIcon>
        </Tooltip>
      ) : (
        <Button variant="default" size="xs" leftSection={icon} onClick={copy} aria-label={label}>
          {copied ? t`Copied` : children}
        </Button>
      )}
      <span role="status" className="rb-visually-hidden">
        {copied ? t`Copied` : ""}
      </span>
    </>
  );
}

/** Copies, also where the page is served over plain http and the clipboard API is missing. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.setAttribute("readonly", "");
    area.style.position = "fixed";
    area.style.opacity = "0";
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}
