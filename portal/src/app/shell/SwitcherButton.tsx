import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { IconSelector } from "@tabler/icons-react";
import type { Ref } from "react";
import type { Project } from "@/api/generated/models/project";

type Props = {
  current: Project | null;
  expanded: boolean;
  onClick: () => void;
  onPointerEnter?: () => void;
  ref?: Ref<HTMLButtonElement>;
};

/** The name of the project one is in; pressed, it offers the others. */
export function SwitcherButton({ current, expanded, ...rest }: Props) {
  const { t } = useLingui();
  return (
    <Button
      variant="subtle"
      color="gray"
      c="var(--mantine-color-text)"
      size="compact-md"
      px={8}
      maw={{ base: 150, sm: 280 }}
      rightSection={<IconSelector size={14} aria-hidden />}
      aria-haspopup="listbox"
      aria-expanded={expanded}
      {...rest}
    >
      <span className="rb-visually-hidden">
        <Trans>Switch project</Trans>:{" "}
      </span>
      {current?.name ?? t`Choose a project`}
    </Button>
  );
}
