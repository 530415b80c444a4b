import { useLingui } from "@lingui/react/macro";
import { type KeyboardEvent, type PointerEvent, type RefObject, useRef } from "react";
import classes from "./RunsWorkspace.module.css";

type Props = {
  /** What is divided; its width is the whole. */
  area: RefObject<HTMLElement | null>;
  /** The first part's share in percent. */
  share: number;
  onShare: (share: number) => void;
};

const least = 20;
const most = 80;

/** The line between two parts that is moved by pointer or by arrow keys. */
export function Splitter({ area, share, onShare }: Props) {
  const { t } = useLingui();
  const moving = useRef<number | null>(null);
  const bounded = (value: number) => Math.round(Math.min(most, Math.max(least, value)));

  function follow(event: PointerEvent): void {
    const box = area.current?.getBoundingClientRect();
    if (moving.current !== event.pointerId || !box || box.width === 0) return;
    const next = bounded(((event.clientX - box.left) / box.width) * 100);
    // While it moves only the picture follows; the address is written once, at the end.
    area.current?.style.setProperty("--share", `${next}%`);
    event.currentTarget.setAttribute("aria-valuenow", String(next));
  }

  function end(event: PointerEvent): void {
    if (moving.current !== event.pointerId) return;
    moving.current = null;
    onShare(Number(event.currentTarget.getAttribute("aria-valuenow")));
  }

  function onKeyDown(event: KeyboardEvent): void {
    const places: Record<string, number> = {
      ArrowLeft: share - 5,
      ArrowRight: share + 5,
      Home: least,
      End: most,
    };
    const next = places[event.key];
    if (next === undefined) return;
    event.preventDefault();
    onShare(bounded(next));
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a rule cannot be moved; this is ARIA's window splitter
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={t`Width of the table`}
      aria-valuenow={share}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      className={classes.splitter}
      onKeyDown={onKeyDown}
      onPointerDown={(event) => {
        moving.current = event.pointerId;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={follow}
      onPointerUp={end}
      onPointerCancel={end}
      onDoubleClick={() => onShare(50)}
    />
  );
}
