import { useLingui } from "@lingui/react/macro";
import { Group, SegmentedControl, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { plotOf } from "../plots";
import classes from "./Artifacts.module.css";
import { PlotPreview } from "./PlotPreview";
import { Scrolling } from "./Scrolling";
import { TextPreview } from "./TextPreview";

const membersShown = 200;

/** JSON as a tree that folds, as text, and as a picture where it describes one that can be drawn. */
export function JsonPreview({ text, label }: { text: string; label: string }) {
  const { t } = useLingui();
  const parsed = useMemo(() => parse(text), [text]);
  const plot = useMemo(() => (parsed.ok ? plotOf(parsed.value) : null), [parsed]);
  const [wanted, setWanted] = useState<string | null>(null);
  if (!parsed.ok) {
    return (
      <TextPreview text={text} label={label} note={t`This is not JSON, so it is shown as text.`} />
    );
  }
  const views = [
    ...(plot?.drawn ? [{ value: "plot", label: t`Picture` }] : []),
    { value: "tree", label: t`Tree` },
    { value: "text", label: t`Text` },
  ];
  const view = views.find(({ value }) => value === wanted) ?? views[0];
  return (
    <div>
      <Group mb="xs">
        <SegmentedControl
          size="xs"
          aria-label={t`How it is shown`}
          data={views}
          value={view?.value}
          onChange={setWanted}
        />
      </Group>
      {plot ? (
        <Text size="sm" c="dimmed" mb="xs">
          {plot.drawn
            ? t`A ${plot.library} figure, drawn from its data without running anything of it.`
            : t`A ${plot.library} figure. Its data are shown; download it to draw it with ${plot.library}.`}
        </Text>
      ) : null}
      {view?.value === "plot" && plot?.drawn ? (
        <PlotPreview plot={plot.drawn} label={label} />
      ) : view?.value === "text" ? (
        <TextPreview text={JSON.stringify(parsed.value, null, 2)} label={label} />
      ) : (
        <Scrolling label={label} className={classes.json}>
          <Node name={null} value={parsed.value} open />
        </Scrolling>
      )}
    </div>
  );
}

type Parsed = { ok: true; value: unknown } | { ok: false };

function parse(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text.replace(/^\uFEFF/, "")) };
  } catch {
    return { ok: false };
  }
}

function Node({
  name,
  value,
  open = false,
}: {
  name: string | null;
  value: unknown;
  open?: boolean;
}) {
  const { t } = useLingui();
  const [isOpen, setOpen] = useState(open);
  const [shown, setShown] = useState(membersShown);
  const title = name === null ? null : <span className={classes.key}>{name}: </span>;
  if (value === null || typeof value !== "object") {
    return (
      <div>
        {title}
        {JSON.stringify(value)}
      </div>
    );
  }
  const isList = Array.isArray(value);
  const members = Object.entries(value);
  const count = members.length;
  const left = count - shown;
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {title}
        {isList ? `[${count}]` : `{${count}}`}
      </summary>
      {isOpen ? (
        <div>
          {members.slice(0, shown).map(([key, member]) => (
            <Node key={key} name={key} value={member} />
          ))}
          {left > 0 ? (
            <button type="button" onClick={() => setShown(shown + membersShown)}>
              {t`${left} more`}
            </button>
          ) : null}
        </div>
      ) : null}
    </details>
  );
}
