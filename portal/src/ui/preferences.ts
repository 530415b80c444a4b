/** What a person chose for this browser: language, theme, single-key shortcuts, the rail. Kept in localStorage. */

import { useSyncExternalStore } from "react";

export type Language = "en" | "ru";
export type ThemeChoice = "auto" | "light" | "dark";

export type Preferences = {
  language: Language;
  theme: ThemeChoice;
  /** Shortcuts of one key without a modifier; WCAG 2.1.4 wants them switchable. */
  shortcuts: boolean;
  railPinned: boolean;
};

const prefix = "runbench.";
const listeners = new Set<() => void>();
let cached: Preferences | null = null;

function stored(name: string): string | null {
  try {
    return localStorage.getItem(prefix + name);
  } catch {
    return null;
  }
}

function isLanguage(value: string | null): value is Language {
  return value === "en" || value === "ru";
}

function load(): Preferences {
  const asked = new URLSearchParams(window.location.search).get("lang");
  const kept = stored("language");
  const theme = stored("theme");
  return {
    language: isLanguage(asked)
      ? asked
      : isLanguage(kept)
        ? kept
        : navigator.language.toLowerCase().startsWith("ru")
          ? "ru"
          : "en",
    theme: theme === "light" || theme === "dark" ? theme : "auto",
    shortcuts: stored("shortcuts") !== "off",
    railPinned: stored("rail") !== "narrow",
  };
}

export function preferences(): Preferences {
  cached ??= load();
  return cached;
}

export function setPreferences(change: Partial<Preferences>): void {
  const next = { ...preferences(), ...change };
  cached = next;
  try {
    localStorage.setItem(`${prefix}language`, next.language);
    localStorage.setItem(`${prefix}theme`, next.theme);
    localStorage.setItem(`${prefix}shortcuts`, next.shortcuts ? "on" : "off");
    localStorage.setItem(`${prefix}rail`, next.railPinned ? "wide" : "narrow");
  } catch {
    // Storage may be blocked; the choice then lasts until the page is closed.
  }
  for (const listener of listeners) listener();
}

/** Forgets what was read, so that the next read sees storage and the address again. */
export function reloadPreferences(): void {
  cached = null;
  for (const listener of listeners) listener();
}

export function onPreferencesChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(onPreferencesChange, preferences);
}
