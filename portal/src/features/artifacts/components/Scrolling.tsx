import type { ReactNode } from "react";

type Props = { label: string; className: string | undefined; children: ReactNode };

/** A part of the page that scrolls inside itself, reachable by keyboard for that. */
export function Scrolling({ label, className, children }: Props) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section tabIndex={0} aria-label={label} className={className}>
      {children}
    </section>
  );
}
