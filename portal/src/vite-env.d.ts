/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Origin of the API when it is not the portal's own. */
  readonly VITE_API_URL?: string;
}

declare module "*.po" {
  import type { Messages } from "@lingui/core";

  export const messages: Messages;
}

declare module "@fontsource-variable/ibm-plex-sans/wght.css";
