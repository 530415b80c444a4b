import { useLingui } from "@lingui/react/macro";
import { Text, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { createSpotlight, Spotlight } from "@mantine/spotlight";
import {
  IconFolder,
  IconFolders,
  IconHome,
  IconKeyboard,
  IconLanguage,
  IconLogout,
  IconSearch,
  IconSunMoon,
  IconUserCircle,
} from "@tabler/icons-react";
import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import type { Project } from "@/api/generated/models/project";
import { projectPages } from "@/app/shell/navigation";
import { useSignOut } from "@/app/sign-out";
import { projectsQuery } from "@/features/projects/queries";
import { KeyHint } from "@/ui/KeyHint";
import { setPreferences, usePreferences } from "@/ui/preferences";
import type { ShortcutId } from "@/ui/shortcut-catalogue";
import "@mantine/spotlight/styles.css";

type Props = { project: Project | null; onClose: () => void; onHelp: () => void };

type Command = {
  id: string;
  label: string;
  icon: ReactNode;
  hint?: ShortcutId;
  detail?: string;
  run: () => void;
};

const [store, palette] = createSpotlight();

/** Everything by name: pages, projects, switches. Loaded when it is first opened. */
export default function Palette({ project, onClose, onHelp }: Props) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const signOut = useSignOut(useQueryClient());
  const { language } = usePreferences();
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light") === "dark";
  const [query, setQuery] = useState("");
  const [q] = useDebouncedValue(query.trim(), 150);
  const { data } = useInfiniteQuery({
    ...projectsQuery({ q: q || undefined, sort: "name" }),
    placeholderData: keepPreviousData,
  });
  useEffect(() => palette.open(), []);

  const icon = { size: 18, stroke: 1.6, "aria-hidden": true } as const;
  const inProject: Command[] = project
    ? projectPages
        .filter(({ roles }) => !roles || roles.includes(project.role))
        .map(({ to, label, icon: Mark, shortcut }) => ({
          id: to,
          label: t(label),
          icon: <Mark {...icon} />,
          hint: shortcut,
          run: () => void navigate({ to, params: { project: project.slug } as never }),
        }))
    : [];
  const pages: Command[] = [
    {
      id: "home",
      label: t`Home`,
      icon: <IconHome {...icon} />,
      hint: "goHome",
      run: () => void navigate({ to: "/" }),
    },
    {
      id: "projects",
      label: t`Projects`,
      icon: <IconFolders {...icon} />,
      hint: "goProjects",
      run: () => void navigate({ to: "/p" }),
    },
    {
      id: "me",
      label: t`Profile and sessions`,
      icon: <IconUserCircle {...icon} />,
      hint: "goProfile",
      run: () => void navigate({ to: "/me" }),
    },
  ];
  const actions: Command[] = [
    {
      id: "theme",
      label: dark ? t`Use the light theme` : t`Use the dark theme`,
      icon: <IconSunMoon {...icon} />,
      hint: "theme",
      run: () => setColorScheme(dark ? "light" : "dark"),
    },
    {
      id: "language",
      label: language === "en" ? "Русский язык" : "English",
      icon: <IconLanguage {...icon} />,
      run: () => setPreferences({ language: language === "en" ? "ru" : "en" }),
    },
    {
      id: "help",
      label: t`Keyboard shortcuts`,
      icon: <IconKeyboard {...icon} />,
      hint: "help",
      run: onHelp,
    },
    {
      id: "sign-out",
      label: t`Sign out`,
      icon: <IconLogout {...icon} />,
      run: () => void signOut(),
    },
  ];
  const projects: Command[] = (data?.pages.flatMap((page) => page.items) ?? [])
    .slice(0, 8)
    .map((one) => ({
      id: `project-${one.id}`,
      label: one.name,
      detail: one.slug,
      icon: <IconFolder {...icon} />,
      run: () => void navigate({ to: "/p/$project", params: { project: one.slug } }),
    }));

  const wanted = query.trim().toLocaleLowerCase();
  const matching = (commands: Command[]) =>
    commands.filter(({ label, detail }) =>
      `${label} ${detail ?? ""}`.toLocaleLowerCase().includes(wanted),
    );
  const groups = [
    { label: project?.name ?? "", commands: matching(inProject) },
    { label: t`Projects`, commands: projects },
    { label: t`Pages`, commands: matching(pages) },
    { label: t`Actions`, commands: matching(actions) },
  ].filter(({ commands }) => commands.length > 0);

  return (
    <Spotlight.Root
      store={store}
      query={query}
      onQueryChange={setQuery}
      onSpotlightClose={onClose}
      shortcut={null}
      scrollable
      maxHeight={420}
      overlayProps={{ backgroundOpacity: 0.4, blur: 0 }}
    >
      <Spotlight.Search
        placeholder={t`Go to a page or a project, or do something`}
        aria-label={t`Search and commands`}
        leftSection={<IconSearch {...icon} />}
      />
      <Spotlight.ActionsList>
        {groups.map(({ label, commands }) => (
          <Spotlight.ActionsGroup key={label} label={label}>
            {commands.map(({ id, label: name, detail, icon: mark, hint, run }) => (
              <Spotlight.Action
                key={id}
                label={name}
                leftSection={mark}
                rightSection={
                  hint ? (
                    <KeyHint id={hint} />
                  ) : (
                    <Text size="xs" c="dimmed" className="rb-mono">
                      {detail}
                    </Text>
                  )
                }
                onClick={run}
              />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length === 0 ? <Spotlight.Empty>{t`Nothing matches`}</Spotlight.Empty> : null}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
