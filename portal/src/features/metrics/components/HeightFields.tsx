import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Group, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { Range } from "@/charts/axis";
import { numberIn } from "./ChartToolbar";

type Props = {
  metric: string;
  height: Range | null;
  logarithmic: boolean;
  onHeight: (height: Range | null) => void;
  onClose: () => void;
};

/** The vertical range of one chart in numbers. */
export function HeightFields({ metric, height, logarithmic, onHeight, onClose }: Props) {
  const { t } = useLingui();
  const [low, setLow] = useState(height ? String(height[0]) : "");
  const [high, setHigh] = useState(height ? String(height[1]) : "");
  const range: Range = [numberIn(low), numberIn(high)];
  const valid = range[0] < range[1] && !(logarithmic && range[0] <= 0);

  function apply(event: FormEvent): void {
    event.preventDefault();
    if (!valid) return;
    onHeight(range);
    onClose();
  }

  return (
    <form onSubmit={apply} aria-label={t`Vertical range of ${metric}`}>
      <Group gap="xs" align="end" py={6}>
        <TextInput
          size="xs"
          w="6rem"
          autoFocus
          inputMode="decimal"
          label={t`Lowest`}
          value={low}
          onChange={(event) => setLow(event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          w="6rem"
          inputMode="decimal"
          label={t`Highest`}
          value={high}
          onChange={(event) => setHigh(event.currentTarget.value)}
        />
        <Button type="submit" size="xs" disabled={!valid}>
          <Trans>Show this range</Trans>
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            onHeight(null);
            onClose();
          }}
        >
          <Trans>Automatic</Trans>
        </Button>
      </Group>
    </form>
  );
}
