import { useLingui } from "@lingui/react/macro";
import { ActionIcon, Button, Group, Text } from "@mantine/core";
import { IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import { useState } from "react";
import { useFormats } from "@/ui/format";
import classes from "./Artifacts.module.css";
import { Scrolling } from "./Scrolling";

const steps = [0.1, 0.25, 0.5, 1, 2, 4, 8, 16];

/** A picture, fitted to the pane or at a multiple of its own size. */
export function ImagePreview({ source, name }: { source: string; name: string }) {
  const { t } = useLingui();
  const formats = useFormats();
  const [natural, setNatural] = useState<{ width: number; height: number } | null>(null);
  const [zoom, setZoom] = useState<number | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  if (failed === source) return <Text c="dimmed">{t`The browser cannot show this picture.`}</Text>;
  const current = zoom ?? 1;
  const next = steps.find((step) => step > current);
  const before = steps.findLast((step) => step < current);
  return (
    <div>
      <Group gap="xs" mb="xs">
        <ActionIcon
          aria-label={t`Zoom out`}
          disabled={before === undefined}
          onClick={() => setZoom(before ?? current)}
        >
          <IconZoomOut size={18} aria-hidden />
        </ActionIcon>
        <ActionIcon
          aria-label={t`Zoom in`}
          disabled={next === undefined}
          onClick={() => setZoom(next ?? current)}
        >
          <IconZoomIn size={18} aria-hidden />
        </ActionIcon>
        <Button size="xs" variant="default" disabled={zoom === null} onClick={() => setZoom(null)}>
          {t`Fit`}
        </Button>
        <Button size="xs" variant="default" disabled={zoom === 1} onClick={() => setZoom(1)}>
          {formats.number(1, { style: "percent" })}
        </Button>
        <Text size="sm" c="dimmed" role="status">
          {zoom === null ? "" : formats.number(zoom, { style: "percent" })}
          {natural ? ` ${natural.width} × ${natural.height}` : ""}
        </Text>
      </Group>

      <Scrolling label={name} className={classes.scroll}>
        <img
          src={source}
          alt={name}
          className={zoom === null ? classes.picture : `${classes.picture} ${classes.zoomed}`}
          style={
            zoom === null || !natural
              ? undefined
              : {
                  width: natural.width * zoom,
                  imageRendering: zoom > 1 ? "pixelated" : undefined,
                }
          }
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setNatural({ width: naturalWidth, height: naturalHeight })
          }
          onError={() => setFailed(source)}
        />
      </Scrolling>
    </div>
  );
}
