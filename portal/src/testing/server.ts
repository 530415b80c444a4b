import { setupServer } from "msw/node";

/** The network of a test; `renderApp` puts a fake backend behind it. */
export const server = setupServer();
