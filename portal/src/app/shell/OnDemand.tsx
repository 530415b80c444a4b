import { type ReactNode, Suspense, useState } from "react";

type Props = {
  /** The closed control, without the code behind it. */
  button: (events: { onClick: () => void; onPointerEnter: () => void }) => ReactNode;
  load: () => Promise<unknown>;
  /** The whole control, opened; a lazy component of the module that `load` fetches. */
  children: ReactNode;
};

/** Shows a button first and fetches the menu behind it when a pointer comes near or it is pressed. */
export function OnDemand({ button, load, children }: Props) {
  const [wanted, setWanted] = useState(false);
  const closed = button({
    onClick: () => setWanted(true),
    onPointerEnter: () => void load(),
  });
  return wanted ? <Suspense fallback={closed}>{children}</Suspense> : closed;
}
