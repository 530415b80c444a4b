import { Trans, useLingui } from "@lingui/react/macro";
import { Combobox, Group, Text, useCombobox } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import type { Project } from "@/api/generated/models/project";
import { SwitcherButton } from "@/app/shell/SwitcherButton";
import { projectsQuery } from "@/features/projects/queries";

const allProjects = "all";

/** Changes the project in the address; typing searches on the server. */
export default function ProjectSwitcher({ current }: { current: Project | null }) {
  const { t } = useLingui();
  const navigate = useNavigate();
  const [search, setSearch] = useState("");
  const [q] = useDebouncedValue(search.trim(), 200);
  const combobox = useCombobox({
    onDropdownOpen: () => combobox.focusSearchInput(),
    onDropdownClose: () => {
      combobox.resetSelectedOption();
      combobox.focusTarget();
      setSearch("");
    },
  });
  const { data, isPending } = useInfiniteQuery({
    ...projectsQuery({ q: q || undefined, sort: "name" }),
    enabled: combobox.dropdownOpened,
    placeholderData: keepPreviousData,
  });
  // It was loaded because the button was pressed.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it appears
  useEffect(() => combobox.openDropdown(), []);
  const projects = data?.pages.flatMap((page) => page.items) ?? [];

  return (
    <Combobox
      store={combobox}
      width={280}
      position="bottom-start"
      onOptionSubmit={(slug) => {
        combobox.closeDropdown();
        if (slug === allProjects) void navigate({ to: "/p" });
        else void navigate({ to: "/p/$project", params: { project: slug.slice(2) } });
      }}
    >
      <Combobox.Target withAriaAttributes={false}>
        <SwitcherButton
          current={current}
          expanded={combobox.dropdownOpened}
          onClick={() => combobox.toggleDropdown()}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Search
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          placeholder={t`Find a project`}
          aria-label={t`Find a project`}
        />
        <Combobox.Options mah={320} style={{ overflowY: "auto" }} aria-label={t`Projects`}>
          {projects.map((project) => (
            <Combobox.Option
              key={project.id}
              value={`p/${project.slug}`}
              active={project.id === current?.id}
            >
              <Group justify="space-between" wrap="nowrap" gap="sm">
                <Text size="sm" truncate fw={project.id === current?.id ? 600 : 400}>
                  {project.name}
                </Text>
                <Text size="xs" c="dimmed" className="rb-mono" truncate>
                  {project.slug}
                </Text>
              </Group>
            </Combobox.Option>
          ))}
          {!isPending && projects.length === 0 ? (
            <Combobox.Empty>
              <Trans>No project matches</Trans>
            </Combobox.Empty>
          ) : null}
          <Combobox.Option value={allProjects}>
            <Text size="sm" c="var(--mantine-color-anchor)">
              <Trans>All projects, new project…</Trans>
            </Text>
          </Combobox.Option>
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
