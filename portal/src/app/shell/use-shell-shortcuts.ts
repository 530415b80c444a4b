import { useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useShortcut } from "@/ui/shortcuts";

type Actions = { openPalette: () => void; openHelp: () => void };

/** The shortcuts that work on every page. */
export function useShellShortcuts({ openPalette, openHelp }: Actions): void {
  const navigate = useNavigate();
  const { project } = useParams({ strict: false });
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const inProject = project !== undefined;
  const params = { project: project ?? "" };

  useShortcut("palette", openPalette);
  useShortcut("help", openHelp);
  useShortcut("theme", () => setColorScheme(dark ? "light" : "dark"));
  useShortcut("filter", () =>
    (
      document.querySelector<HTMLInputElement>("main input[data-filter]") ??
      document.querySelector<HTMLInputElement>("main input[type=search]")
    )?.focus(),
  );
  useShortcut("goHome", () => void navigate({ to: "/" }));
  useShortcut("goProjects", () => void navigate({ to: "/p" }));
  useShortcut("goProfile", () => void navigate({ to: "/me" }));
  useShortcut("goProject", () => void navigate({ to: "/p/$project", params }), inProject);
  useShortcut("goExperiments", () => void navigate({ to: "/p/$project/x", params }), inProject);
  useShortcut("goRuns", () => void navigate({ to: "/p/$project/runs", params }), inProject);
  useShortcut("goMembers", () => void navigate({ to: "/p/$project/members", params }), inProject);
  useShortcut("goTokens", () => void navigate({ to: "/p/$project/tokens", params }), inProject);
  useShortcut("goSettings", () => void navigate({ to: "/p/$project/settings", params }), inProject);
}
