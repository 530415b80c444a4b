import { type ReactNode, useEffect, useRef, useState } from "react";
import classes from "./WhenNear.module.css";

type Props = {
  label: string;
  /** Drawn once it has come near the window; `asleep` while it is out of sight again. */
  children: (asleep: boolean) => ReactNode;
};

const blind = typeof IntersectionObserver === "undefined";

/** Keeps the place of a panel and fills it once it comes near the window. */
export function WhenNear({ label, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [met, setMet] = useState(blind);
  const [near, setNear] = useState(blind);
  useEffect(() => {
    if (blind || !place.current) return;
    const observer = new IntersectionObserver(
      (entries) => {
        const intersecting = entries.at(-1)?.isIntersecting ?? false;
        setNear(intersecting);
        if (intersecting) setMet(true);
      },
      { rootMargin: "300px" },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={place} className={classes.panel}>
      {met ? children(!near) : <div className={classes.waiting} aria-hidden title={label} />}
    </div>
  );
}
