/** Listens for the shortcuts of the catalogue. One listener for the page; components only say what to do. */

import { useEffect, useRef } from "react";
import { preferences } from "@/ui/preferences";
import { type ShortcutId, shortcutCatalogue } from "@/ui/shortcut-catalogue";

type Action = () => void;

const sequenceTimeout = 1200;
const actions = new Map<ShortcutId, Action[]>();
let pending: string[] = [];
let pendingSince = 0;

/** `Mod+Shift+KeyK` for an event: modifiers in this order, then the physical key. */
export function chordOf(event: KeyboardEvent): string {
  const modifiers = [
    event.ctrlKey || event.metaKey ? "Mod" : "",
    event.altKey ? "Alt" : "",
    event.shiftKey ? "Shift" : "",
  ].filter(Boolean);
  return [...modifiers, event.code].join("+");
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select"))
  );
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.repeat || /^(Control|Shift|Alt|Meta)/.test(event.key)) return;
  const chord = chordOf(event);
  const single = !chord.startsWith("Mod+");
  if (single && (!preferences().shortcuts || isTyping(event.target))) return;
  // A dialog or menu has its own keys; only chords with a modifier reach past it.
  if (single && document.querySelector('[aria-modal="true"], [role="menu"]')) return;

  const now = Date.now();
  if (now - pendingSince > sequenceTimeout) pending = [];
  const typed = [...pending, chord].join(" ");
  let prefix = false;
  for (const [id, stack] of actions) {
    const { keys } = shortcutCatalogue[id];
    const action = stack.at(-1);
    if (keys === typed && action) {
      pending = [];
      event.preventDefault();
      action();
      return;
    }
    if (keys.startsWith(`${typed} `)) prefix = true;
  }
  pending = prefix ? [...pending, chord] : [];
  pendingSince = now;
}

/** Does `action` on the shortcut while the component is shown; the one mounted last wins. */
export function useShortcut(id: ShortcutId, action: Action, enabled = true): void {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    if (!enabled) return;
    if (actions.size === 0) window.addEventListener("keydown", onKeyDown);
    const own = () => latest.current();
    actions.set(id, [...(actions.get(id) ?? []), own]);
    return () => {
      const rest = (actions.get(id) ?? []).filter((other) => other !== own);
      if (rest.length > 0) actions.set(id, rest);
      else actions.delete(id);
      if (actions.size === 0) window.removeEventListener("keydown", onKeyDown);
    };
  }, [id, enabled]);
}

/** What to print on the keys: `["Ctrl", "K"]`; one list for each step of a sequence. */
export function keyCaps(keys: string): string[][] {
  const mac = /Mac|iPhone|iPad/.test(navigator.userAgent);
  const names: Record<string, string> = {
    Mod: mac ? "⌘" : "Ctrl",
    Shift: "⇧",
    Alt: mac ? "⌥" : "Alt",
    Slash: "/",
    Escape: "Esc",
    Delete: "Del",
    ArrowLeft: "←",
    ArrowRight: "→",
    ArrowUp: "↑",
    ArrowDown: "↓",
    BracketLeft: "[",
    BracketRight: "]",
    Equal: "+",
    Minus: "−",
    Space: "␣",
  };
  return keys.split(" ").map((chord) => {
    if (chord === "Shift+Slash") return ["?"];
    return chord.split("+").map((part) => names[part] ?? part.replace(/^(Key|Digit)/, ""));
  });
}
