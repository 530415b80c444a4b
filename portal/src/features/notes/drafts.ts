/** Text that somebody is still writing, kept for this tab, so that a reload or a wrong click loses nothing. */

const prefix = "runbench.draft.";

export function keptDraft(id: string): string | null {
  try {
    return sessionStorage.getItem(prefix + id);
  } catch {
    return null;
  }
}

export function keepDraft(id: string, text: string | null): void {
  try {
    if (text === null) sessionStorage.removeItem(prefix + id);
    else sessionStorage.setItem(prefix + id, text);
  } catch {
    // Storage may be blocked; the text then lives as long as the page.
  }
}
