import classes from "@/ui/CodeSnippet.module.css";
import { CopyButton } from "@/ui/CopyButton";

type Props = {
  code: string;
  /** Names the snippet and its copy button: "Copy the Python code". */
  copyLabel: string;
  /** Breaks long lines, for tokens and addresses. */
  wrap?: boolean;
};

/** Text to paste elsewhere. Scrolls sideways inside itself and is reachable by keyboard for that. */
export function CodeSnippet({ code, copyLabel, wrap = false }: Props) {
  return (
    <div className={classes.box}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      <pre className={wrap ? `${classes.code} ${classes.wrapping}` : classes.code} tabIndex={0}>
        <code>{code}</code>
      </pre>
      <div className={classes.copy}>
        <CopyButton text={code} label={copyLabel} />
      </div>
    </div>
  );
}
