import { setNonce } from "get-nonce";

/** The number by which the page's policy lets styles in that a library writes into it.
 *
 * The server that hands the page out puts it there, anew each time; where none does, the policy
 * asks for none.
 */
export function styleNonce(): string {
  const tag = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]");
  return tag?.nonce ?? "";
}

// For the library that keeps a page from scrolling below a dialog.
setNonce(styleNonce());
