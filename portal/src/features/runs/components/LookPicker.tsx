import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Popover } from "@mantine/core";
import { useRef, useState } from "react";
import { lookCount } from "@/ui/palette";
import classes from "./RunsTable.module.css";
import { Swatch } from "./Swatch";

type Props = {
  name: string;
  /** Missing where the run is not drawn. */
  look: number | undefined;
  /** `undefined` goes back to the look that the run gets by itself. */
  onLook: (look: number | undefined) => void;
};

/** A run's line in the charts; a press shows the others to choose from. */
export function LookPicker({ name, look, onLook }: Props) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const [used, setUsed] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const button = (
    <button
      ref={opener}
      type="button"
      className={classes.tool}
      data-look={look}
      aria-label={t`Colour of ${name}`}
      aria-haspopup="dialog"
      aria-expanded={open}
      title={t`Colour in charts`}
      onClick={() => {
        setUsed(true);
        setOpen(!open);
      }}
    >
      <Swatch look={look} />
    </button>
  );
  // A table has many rows and hardly ever a palette.
  if (!used) return button;
  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  const choose = (next: number | undefined) => {
    close();
    onLook(next);
  };
  return (
    <Popover
      opened={open}
      onChange={(next) => (next ? setOpen(true) : close())}
      trapFocus
      withinPortal
      position="bottom-start"
    >
      <Popover.Target>{button}</Popover.Target>
      <Popover.Dropdown>
        <div className={classes.palette}>
          {Array.from({ length: lookCount }, (_, at) => (
            <button
              // biome-ignore lint/suspicious/noArrayIndexKey: a look is its index
              key={at}
              type="button"
              className={classes.tool}
              aria-label={t`Colour ${(at % 8) + 1}, line ${Math.floor(at / 8) + 1}`}
              aria-pressed={at === look}
              onClick={() => choose(at)}
            >
              <Swatch look={at} />
            </button>
          ))}
        </div>
        <Button fullWidth size="compact-xs" variant="subtle" onClick={() => choose(undefined)}>
          <Trans>Choose by itself</Trans>
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
