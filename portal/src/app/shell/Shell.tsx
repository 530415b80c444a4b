import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Drawer, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2, IconSearch } from "@tabler/icons-react";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";
import { ConnectionDot } from "@/app/shell/ConnectionDot";
import { useCurrentProject } from "@/app/shell/current-project";
import { LanguageSwitch } from "@/app/shell/LanguageSwitch";
import { ProjectSwitcher } from "@/app/shell/ProjectSwitcher";
import { Rail, RailContents } from "@/app/shell/Rail";
import classes from "@/app/shell/Shell.module.css";
import { ThemeSwitch } from "@/app/shell/ThemeSwitch";
import { UserMenu } from "@/app/shell/UserMenu";
import { useShellShortcuts } from "@/app/shell/use-shell-shortcuts";
import { KeyHint } from "@/ui/KeyHint";
import { Logo } from "@/ui/Logo";
import { usePreferences } from "@/ui/preferences";

const Palette = lazy(() => import("@/app/shell/Palette"));
const ShortcutsDialog = lazy(() => import("@/app/shell/ShortcutsDialog"));

/** The frame of every signed-in page. */
export function Shell() {
  const { t } = useLingui();
  const { railPinned } = usePreferences();
  const { pathname } = useLocation();
  const [menuOpen, menu] = useDisclosure(false);
  const [paletteOpen, palette] = useDisclosure(false);
  const [helpOpen, help] = useDisclosure(false);
  const project = useCurrentProject();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useShellShortcuts({ openPalette: palette.open, openHelp: help.open });

  // A new page is announced by moving focus to it; not on the first, where the browser has done so.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what it reacts to
  useEffect(() => {
    menu.close();
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className={classes.shell} data-rail={railPinned ? "wide" : "narrow"}>
      <a href="#main" className={classes.skip}>
        <Trans>Skip to the content</Trans>
      </a>
      <header className={classes.bar}>
        <ActionIcon
          className={classes.onlyPhone}
          size="lg"
          aria-label={t`Open the menu`}
          aria-expanded={menuOpen}
          onClick={menu.open}
        >
          <IconMenu2 size={20} aria-hidden />
        </ActionIcon>
        <Link to="/" className={classes.home} aria-label={t`Runbench, home`}>
          <Logo />
          <span className={classes.notPhone}>Runbench</span>
        </Link>
        <span className={`${classes.slash} ${classes.notPhone}`} aria-hidden>
          /
        </span>
        <ProjectSwitcher current={project} />
        <div className={classes.spacer} />
        <ConnectionDot />
        <Tooltip label={t`Search and commands`}>
          <button
            type="button"
            className={classes.search}
            onClick={palette.open}
            aria-label={t`Search and commands`}
          >
            <IconSearch size={16} aria-hidden />
            <span className={classes.searchWords}>
              <Trans>Go to…</Trans>
            </span>
            <KeyHint id="palette" />
          </button>
        </Tooltip>
        <span className={classes.notPhone}>
          <LanguageSwitch />
        </span>
        <ThemeSwitch />
        <UserMenu onHelp={help.open} />
      </header>
      <Rail project={project} />
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <div className={classes.width}>
          <Outlet />
        </div>
      </main>
      <Drawer
        opened={menuOpen}
        onClose={menu.close}
        size="17rem"
        title="Runbench"
        closeButtonProps={{ "aria-label": t`Close the menu` }}
      >
        <nav className={classes.drawerNav} aria-label={t`Main`}>
          <RailContents project={project} wide />
          <LanguageSwitch />
        </nav>
      </Drawer>
      <Suspense>
        {paletteOpen ? (
          <Palette project={project} onClose={palette.close} onHelp={help.open} />
        ) : null}
        {helpOpen ? <ShortcutsDialog onClose={help.close} /> : null}
      </Suspense>
    </div>
  );
}
