import { useLingui } from "@lingui/react/macro";
import { Drawer } from "@mantine/core";
import { IconLanguage } from "@tabler/icons-react";
import type { Project } from "@/api/generated/models/project";
import { languageNames } from "@/app/shell/LanguageSwitch";
import { RailContents } from "@/app/shell/Rail";
import classes from "@/app/shell/Shell.module.css";
import { type Language, setPreferences, usePreferences } from "@/ui/preferences";

type Props = { project: Project | null; onClose: () => void };

/** The rail of a narrow screen. */
export default function PhoneMenu({ project, onClose }: Props) {
  const { t } = useLingui();
  const { language } = usePreferences();
  const other: Language = language === "en" ? "ru" : "en";
  return (
    <Drawer
      opened
      onClose={onClose}
      size="17rem"
      title="Runbench"
      closeButtonProps={{ "aria-label": t`Close the menu` }}
    >
      <nav className={classes.drawerNav} aria-label={t`Main`}>
        <RailContents project={project} wide />
        <button
          type="button"
          lang={other}
          className={classes.item}
          onClick={() => setPreferences({ language: other })}
        >
          <IconLanguage size={18} stroke={1.6} aria-hidden />
          {languageNames[other]}
        </button>
      </nav>
    </Drawer>
  );
}
