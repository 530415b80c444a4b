import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import type { Attribute, ColumnId } from "../columns";
import { keyOf } from "../columns";

const names: Record<Attribute | "name", MessageDescriptor> = {
  name: msg`Name`,
  status: msg`Status`,
  experiment: msg`Experiment`,
  created_at: msg`Created`,
  started_at: msg`Started`,
  duration: msg`Duration`,
  tags: msg`Tags`,
  host: msg`Host`,
  git: msg`Git`,
  source: msg`Source`,
};

/** How a column is called on the screen; parameters and metrics keep the key they were logged with. */
export function useColumnName(): (column: ColumnId) => string {
  const { t } = useLingui();
  return (column) => (column in names ? t(names[column as keyof typeof names]) : keyOf(column));
}
