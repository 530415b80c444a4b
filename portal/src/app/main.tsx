import "@/app/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Application } from "@/app/Application";
import { activate } from "@/app/i18n";
import { createQueryClient } from "@/app/queries";
import { createAppRouter } from "@/app/router";
import { leaveWhenSignedOut } from "@/app/signed-out";
import { preferences } from "@/ui/preferences";

const queryClient = createQueryClient();
const router = createAppRouter(queryClient);

leaveWhenSignedOut(queryClient, router);

await activate(preferences().language);

const root = document.getElementById("root");
if (!root) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Application queryClient={queryClient} router={router} />
  </StrictMode>,
);
