import { useLingui } from "@lingui/react/macro";
import { Modal } from "@mantine/core";
import { ShortcutList } from "@/app/shell/ShortcutList";

export default function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useLingui();
  return (
    <Modal
      opened
      onClose={onClose}
      title={t`Keyboard shortcuts`}
      size="lg"
      closeButtonProps={{ "aria-label": t`Close` }}
    >
      <ShortcutList />
    </Modal>
  );
}
