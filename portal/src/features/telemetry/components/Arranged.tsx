import { useLingui } from "@lingui/react/macro";
import { ActionIcon, Tooltip } from "@mantine/core";
import { IconArrowLeft, IconArrowRight, IconGripVertical } from "@tabler/icons-react";
import { type DragEvent, type ReactNode, useState } from "react";
import { WhenNear } from "@/charts/components/WhenNear";
import { moved, type PanelOf } from "../channels";
import classes from "./Telemetry.module.css";

type Props = {
  panels: readonly PanelOf[];
  onOrder: (keys: string[]) => void;
  children: (panel: PanelOf, asleep: boolean) => ReactNode;
  /** A few words over each chart. */
  facts?: (panel: PanelOf) => ReactNode;
};

const kind = "application/x-runbench-panel";

/** Charts in a grid that somebody arranges: by dragging, or with the arrows beside the handle. */
export function Arranged({ panels, onOrder, children, facts }: Props) {
  const { t } = useLingui();
  const [over, setOver] = useState<string | null>(null);
  const keys = panels.map(({ key }) => key);

  function drop(event: DragEvent, target: string): void {
    const key = event.dataTransfer.getData(kind);
    setOver(null);
    if (!key) return;
    event.preventDefault();
    onOrder(moved(keys, key, target));
  }

  return (
    <div className={classes.grid}>
      {panels.map((panel, index) => {
        const { key, title } = panel;
        const [before, after] = [keys[index - 1], keys[index + 1]];
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: dragging has its twin in the arrow buttons
          <div
            key={key}
            className={classes.panel}
            data-over={over === key || undefined}
            onDragOver={(event) => {
              if (!event.dataTransfer.types.includes(kind)) return;
              event.preventDefault();
              setOver(key);
            }}
            onDragLeave={() => setOver(null)}
            onDrop={(event) => drop(event, key)}
          >
            {/* biome-ignore lint/a11y/noStaticElementInteractions: see above */}
            <div
              className={classes.grip}
              draggable={panels.length > 1}
              onDragStart={(event) => {
                event.dataTransfer.setData(kind, key);
                event.dataTransfer.effectAllowed = "move";
              }}
            >
              <span className={classes.facts}>{facts?.(panel)}</span>
              {panels.length > 1 ? (
                <>
                  <Tooltip label={t`Move to the left`}>
                    <ActionIcon
                      size={24}
                      aria-label={t`Move ${title} to the left`}
                      disabled={before === undefined}
                      onClick={() => onOrder(moved(keys, key, before ?? key))}
                    >
                      <IconArrowLeft size={14} aria-hidden />
                    </ActionIcon>
                  </Tooltip>
                  <Tooltip label={t`Move to the right`}>
                    <ActionIcon
                      size={24}
                      aria-label={t`Move ${title} to the right`}
                      disabled={after === undefined}
                      onClick={() => onOrder(moved(keys, key, after ?? key))}
                    >
                      <IconArrowRight size={14} aria-hidden />
                    </ActionIcon>
                  </Tooltip>
                  <IconGripVertical size={16} aria-hidden />
                </>
              ) : null}
            </div>
            <WhenNear label={title}>{(asleep) => children(panel, asleep)}</WhenNear>
          </div>
        );
      })}
    </div>
  );
}
