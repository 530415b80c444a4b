import { Trans, useLingui } from "@lingui/react/macro";
import { TextInput } from "@mantine/core";
import { useState } from "react";
import { CopyButton } from "@/ui/CopyButton";
import { Panel } from "@/ui/Panel";
import { Value } from "./cells";
import classes from "./RunPage.module.css";

type Scalar = string | number | boolean | null;
const natural = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const searchableFrom = 8;

/** A run's parameters, to be searched and copied. */
export function ParamsPanel({ params }: { params: Record<string, Scalar> }) {
  const { t } = useLingui();
  const [search, setSearch] = useState("");
  const all = Object.entries(params).sort(([a], [b]) => natural.compare(a, b));
  const words = search.trim().toLowerCase();
  const shown = all.filter(([key, value]) => `${key} ${value}`.toLowerCase().includes(words));
  return (
    <Panel
      title={t`Parameters`}
      flush
      actions={
        all.length > 0 ? (
          <span style={{ display: "flex", alignItems: "center", gap: "0.25rem" }}>
            {all.length >= searchableFrom ? (
              <TextInput
                type="search"
                size="xs"
                className={classes.search}
                aria-label={t`Search parameters`}
                placeholder={t`Search parameters`}
                value={search}
                onChange={(event) => setSearch(event.currentTarget.value)}
              />
            ) : null}
            <CopyButton
              text={JSON.stringify(params, null, 2)}
              label={t`Copy the parameters as JSON`}
            />
          </span>
        ) : null
      }
    >
      {shown.length > 0 ? (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard
        <div className={classes.scroll} tabIndex={0}>
          <table className={classes.pairs}>
            <tbody>
              {shown.map(([key, value]) => (
                <tr key={key}>
                  <th scope="row">{key}</th>
                  <td>
                    <Value value={value} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className={classes.nothing}>
          {all.length > 0 ? (
            <Trans>No parameter matches.</Trans>
          ) : (
            <Trans>This run has no parameters.</Trans>
          )}
        </p>
      )}
    </Panel>
  );
}
