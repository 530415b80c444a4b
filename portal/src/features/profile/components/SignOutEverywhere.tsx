import { Trans, useLingui } from "@lingui/react/macro";
import { Button } from "@mantine/core";
import { ConfirmInPlace } from "@/ui/ConfirmInPlace";
import { announceFailure } from "@/ui/notices";
import { useSignOutEverywhere } from "../queries";

export function SignOutEverywhere({ onDone }: { onDone: () => void }) {
  const { t } = useLingui();
  const signOut = useSignOutEverywhere();
  return (
    <ConfirmInPlace
      action={t`Sign out everywhere`}
      question={<Trans>End all your sessions, this one too?</Trans>}
      onConfirm={() =>
        signOut.mutate(undefined, {
          onSuccess: onDone,
          onError: (error) => announceFailure(t`The sessions were not ended`, error),
        })
      }
      trigger={(open) => (
        <Button size="xs" variant="default" loading={signOut.isPending} onClick={open}>
          <Trans>Sign out everywhere</Trans>
        </Button>
      )}
    />
  );
}
