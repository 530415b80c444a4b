import { Trans } from "@lingui/react/macro";
import { Title } from "@mantine/core";
import { Outlet } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import classes from "@/app/PublicLayout.module.css";
import { LanguageSwitch } from "@/app/shell/LanguageSwitch";
import { ThemeSwitch } from "@/app/shell/ThemeSwitch";
import { Logo } from "@/ui/Logo";

/** What people see before they are signed in: the form, and beside it what Runbench is. */
export function PublicLayout() {
  return (
    <div className={classes.layout}>
      <aside className={classes.aside}>
        <div className={classes.brand}>
          <Logo size={30} />
          Runbench
        </div>
        <div>
          <p className={classes.claim}>
            <Trans>Every run recorded, seen live, and still comparable next year.</Trans>
          </p>
          <Traces />
        </div>
        <ul className={classes.points}>
          <li>
            <Trans>Parameters, metrics and notes of each run in one place</Trans>
          </li>
          <li>
            <Trans>Curves that grow while the experiment is running</Trans>
          </li>
          <li>
            <Trans>Three lines of Python to start</Trans>
          </li>
        </ul>
      </aside>
      <div className={classes.main}>
        <header className={classes.tools}>
          <div className={`${classes.brand} ${classes.phoneBrand}`}>
            <Logo size={26} />
            Runbench
          </div>
          <LanguageSwitch />
          <ThemeSwitch />
        </header>
        <Outlet />
      </div>
    </div>
  );
}

type CardProps = { title: string; children: ReactNode; foot?: ReactNode };

export function PublicCard({ title, children, foot }: CardProps) {
  useEffect(() => {
    document.title = `${title} · Runbench`;
  }, [title]);
  return (
    <main className={classes.card}>
      <Title order={1} className={classes.title}>
        {title}
      </Title>
      {children}
      {foot ? <div className={classes.foot}>{foot}</div> : null}
    </main>
  );
}

/** Three loss curves settling; a picture, not data. */
function Traces() {
  return (
    <svg className={classes.traces} viewBox="0 0 640 200" fill="none" aria-hidden="true">
      <path d="M0 190H640" stroke="#1d5a60" strokeWidth="1.5" />
      <path
        d="M0 18C60 22 70 96 118 112s60-16 96 8 70 20 118 28 96-4 150 8 96 2 158 4"
        stroke="#41a6ab"
        strokeWidth="2"
      />
      <path
        d="M0 40c50 4 62 60 108 72s58 4 94 22 84 12 128 22 92 4 146 12 104 0 164 2"
        stroke="#8fd3d4"
        strokeWidth="2"
        strokeDasharray="8 5"
      />
      <path
        d="M0 10c36 10 52 78 96 88s50-44 76-40 34 66 78 76 68 8 110 22 70 6 92 10"
        stroke="#f2b04b"
        strokeWidth="2.5"
      />
      <circle cx="452" cy="166" r="5" fill="#f2b04b" />
    </svg>
  );
}
