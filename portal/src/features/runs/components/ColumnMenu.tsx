import { Trans } from "@lingui/react/macro";
import { Menu } from "@mantine/core";
import {
  IconArrowDown,
  IconArrowLeft,
  IconArrowRight,
  IconArrowUp,
  IconEyeOff,
  IconPin,
  IconPinnedOff,
  IconStack2,
  IconViewportNarrow,
  IconViewportWide,
} from "@tabler/icons-react";
import type { RefObject } from "react";
import { type ColumnId, sortKeyOf, widthOf } from "../columns";
import { groupField } from "../groups";
import type { ColumnActions } from "./TableHead";
import type { Placed } from "./table-frame";

type Props = {
  column: Placed;
  columns: readonly ColumnId[];
  fixed: number;
  actions: ColumnActions;
  opener: RefObject<HTMLButtonElement | null>;
  onClose: () => void;
};

/** Sorting, order, width and place of one column. */
export default function ColumnMenu({ column, columns, fixed, actions, opener, onClose }: Props) {
  const { id, place, size } = column;
  const key = sortKeyOf(id);
  const isFixed = place < fixed;
  const field = groupField(id);
  const box = opener.current?.getBoundingClientRect();
  return (
    <Menu opened withinPortal position="bottom-start" onChange={(open) => !open && onClose()}>
      <Menu.Target>
        <span
          style={{
            position: "fixed",
            insetInlineStart: box?.left,
            insetBlockStart: box?.top,
            width: box?.width,
            height: box?.height,
            pointerEvents: "none",
          }}
        />
      </Menu.Target>
      <Menu.Dropdown>
        {key ? (
          <>
            <Menu.Item
              leftSection={<IconArrowUp size={15} aria-hidden />}
              onClick={() => actions.onSort([key])}
            >
              <Trans>Sort, smallest first</Trans>
            </Menu.Item>
            <Menu.Item
              leftSection={<IconArrowDown size={15} aria-hidden />}
              onClick={() => actions.onSort([`-${key}`])}
            >
              <Trans>Sort, greatest first</Trans>
            </Menu.Item>
          </>
        ) : null}
        {field ? (
          <Menu.Item
            leftSection={<IconStack2 size={15} aria-hidden />}
            onClick={() => actions.onGroup(field)}
          >
            <Trans>Group by this</Trans>
          </Menu.Item>
        ) : null}
        <Menu.Item
          leftSection={<IconArrowLeft size={15} aria-hidden />}
          disabled={place === 0}
          onClick={() => actions.onMove(id, place - 1)}
        >
          <Trans>Move left</Trans>
        </Menu.Item>
        <Menu.Item
          leftSection={<IconArrowRight size={15} aria-hidden />}
          disabled={place === columns.length - 1}
          onClick={() => actions.onMove(id, place + 1)}
        >
          <Trans>Move right</Trans>
        </Menu.Item>
        <Menu.Item
          leftSection={
            isFixed ? <IconPinnedOff size={15} aria-hidden /> : <IconPin size={15} aria-hidden />
          }
          onClick={() => actions.onFix(id, !isFixed)}
        >
          {isFixed ? <Trans>Let it scroll</Trans> : <Trans>Keep beside the name</Trans>}
        </Menu.Item>
        <Menu.Item
          closeMenuOnClick={false}
          leftSection={<IconViewportWide size={15} aria-hidden />}
          onClick={() => actions.onWidth(id, Math.min(800, size + 40))}
        >
          <Trans>Wider</Trans>
        </Menu.Item>
        <Menu.Item
          closeMenuOnClick={false}
          leftSection={<IconViewportNarrow size={15} aria-hidden />}
          onClick={() => actions.onWidth(id, Math.max(60, size - 40))}
        >
          <Trans>Narrower</Trans>
        </Menu.Item>
        {size !== widthOf(id) ? (
          <Menu.Item onClick={() => actions.onWidth(id, undefined)}>
            <Trans>Usual width</Trans>
          </Menu.Item>
        ) : null}
        <Menu.Item
          leftSection={<IconEyeOff size={15} aria-hidden />}
          onClick={() => actions.onHide(id)}
        >
          <Trans>Hide the column</Trans>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
