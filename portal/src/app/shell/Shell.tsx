import { Trans, useLingui } from "@lingui/react/macro";
import { ActionIcon, Tooltip } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconMenu2, IconSearch } from "@tabler/icons-react";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef } from "react";
import { ConnectionDot } from "@/app/shell/ConnectionDot";
import { useCurrentProject } from "@/app/shell/current-project";
import { LanguageSwitch } from "@/app/shell/LanguageSwitch";
import { OnDemand } from "@/app/shell/OnDemand";
import { Rail } from "@/app/shell/Rail";
import classes from "@/app/shell/Shell.module.css";
import { SwitcherButton } from "@/app/shell/SwitcherButton";
import { ThemeSwitch } from "@/app/shell/ThemeSwitch";
import { UserButton } from "@/app/shell/UserButton";
import { useShellShortcuts } from "@/app/shell/use-shell-shortcuts";
import { useUser } from "@/app/user";
import { KeyHint } from "@/ui/KeyHint";
import { Logo } from "@/ui/Logo";
import { usePreferences } from "@/ui/preferences";

const Palette = lazy(() => import("@/app/shell/Palette"));
const PhoneMenu = lazy(() => import("@/app/shell/PhoneMenu"));
const loadSwitcher = () => import("@/app/shell/ProjectSwitcher");
const ProjectSwitcher = lazy(loadSwitcher);
const loadUserMenu = () => import("@/app/shell/UserMenu");
const UserMenu = lazy(loadUserMenu);
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
  const user = useUser();
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
        <OnDemand
          load={loadSwitcher}
          button={(events) => <SwitcherButton current={project} expanded={false} {...events} />}
        >
          <ProjectSwitcher current={project} />
        </OnDemand>
        <div className={classes.spacer} />
        <ConnectionDot />
        <Tooltip label={t`Search and commands`}>
          <button type="button" className={classes.search} onClick={palette.open}>
            <IconSearch size={16} aria-hidden />
            <span className={classes.searchWords}>
              <Trans>Go to…</Trans>
            </span>
            <span aria-hidden className={classes.searchKeys}>
              <KeyHint id="palette" />
            </span>
          </button>
        </Tooltip>
        <span className={classes.notPhone}>
          <LanguageSwitch />
        </span>
        <ThemeSwitch />
        <OnDemand load={loadUserMenu} button={(events) => <UserButton user={user} {...events} />}>
          <UserMenu onHelp={help.open} />
        </OnDemand>
      </header>
      <Rail project={project} />
      <main id="main" ref={main} tabIndex={-1} className={classes.main}>
        <div className={classes.width}>
          <Outlet />
        </div>
      </main>
      <Suspense>
        {menuOpen ? <PhoneMenu project={project} onClose={menu.close} /> : null}
        {paletteOpen ? (
          <Palette project={project} onClose={palette.close} onHelp={help.open} />
        ) : null}
        {helpOpen ? <ShortcutsDialog onClose={help.close} /> : null}
      </Suspense>
    </div>
  );
}
