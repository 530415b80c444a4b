import { useLingui } from "@lingui/react/macro";
import { PasswordInput, type PasswordInputProps } from "@mantine/core";

/** A password, with an eye that the keyboard reaches; pasting is never hindered. */
export function PasswordField(props: PasswordInputProps) {
  const { t } = useLingui();
  return (
    <PasswordInput
      aria-invalid={props.error ? true : undefined}
      visibilityToggleButtonProps={{
        "aria-label": t`Show or hide the password`,
        "aria-hidden": false,
        tabIndex: 0,
      }}
      {...props}
    />
  );
}
