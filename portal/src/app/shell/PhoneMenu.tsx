import { useLingui } from "@lingui/react/macro";
import { Drawer } from "@mantine/core";
import type { Project } from "@/api/generated/models/project";
import { LanguageSwitch } from "@/app/shell/LanguageSwitch";
import { RailContents } from "@/app/shell/Rail";
import classes from "@/app/shell/Shell.module.css";

type Props = { project: Project | null; onClose: () => void };

/** The rail of a narrow screen. */
export default function PhoneMenu({ project, onClose }: Props) {
  const { t } = useLingui();
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
        <LanguageSwitch />
      </nav>
    </Drawer>
  );
}
