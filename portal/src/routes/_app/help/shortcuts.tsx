import { useLingui } from "@lingui/react/macro";
import { createFileRoute } from "@tanstack/react-router";
import { ShortcutList } from "@/app/shell/ShortcutList";
import { PageHeader } from "@/ui/PageHeader";
import { Panel } from "@/ui/Panel";

export const Route = createFileRoute("/_app/help/shortcuts")({ component: ShortcutsPage });

function ShortcutsPage() {
  const { t } = useLingui();
  return (
    <>
      <PageHeader title={t`Keyboard shortcuts`} />
      <Panel>
        <ShortcutList titleOrder={2} />
      </Panel>
    </>
  );
}
