/** The plain filters beside the filter box: single conditions of the expression, for who does not write it. */

import { type Condition, conditions, withConditions, writtenField, writtenValue } from "./language";

export const statusField = "attributes.status";
export const nameField = "attributes.name";

export type Chips = {
  /** A part of the name. */
  name: string;
  status: string[];
  /** `key` or `key=value`; all must be there. */
  tags: string[];
};

const isStatus = ({ field, operator }: Condition) =>
  field === statusField && ["=", "in"].includes(operator.toLowerCase());
const isName = ({ field, operator, values }: Condition) =>
  field === nameField && operator === "ilike" && /^%.*%$/s.test(values[0] ?? "");
const isTag = ({ field, operator, values }: Condition) =>
  field.startsWith("tags.") &&
  (operator === "=" || (operator === "is not" && values[0] === "null"));

/** The plain filters that an expression holds; nothing where it is not a chain of conditions. */
export function chipsOf(filter: string): Chips | null {
  const all = conditions(filter);
  if (!all) return null;
  return {
    name: all.find(isName)?.values[0]?.slice(1, -1) ?? "",
    status: all.find(isStatus)?.values ?? [],
    tags: all.filter(isTag).map(({ field, operator, values }) => {
      const key = field.slice("tags.".length);
      return operator === "=" ? `${key}=${values[0] ?? ""}` : key;
    }),
  };
}

/** The expression with these plain filters changed; conditions that are none of them stay. */
export function withChips(filter: string, change: Partial<Chips>): string {
  const replaced: ((condition: Condition) => boolean)[] = [];
  const added: string[] = [];
  if (change.name !== undefined) {
    replaced.push(isName);
    if (change.name.trim())
      added.push(`${nameField} ilike ${writtenValue(`%${change.name.trim()}%`)}`);
  }
  if (change.status !== undefined) {
    replaced.push(isStatus);
    const values = change.status.map((one) => writtenValue(one));
    if (values.length === 1) added.push(`${statusField} = ${values[0]}`);
    if (values.length > 1) added.push(`${statusField} in (${values.join(", ")})`);
  }
  if (change.tags !== undefined) {
    replaced.push(isTag);
    for (const tag of change.tags) {
      const [key = "", ...value] = tag.split("=");
      const field = writtenField(`tags.${key.trim()}`);
      added.push(
        value.length > 0 ? `${field} = ${writtenValue(value.join("="))}` : `${field} is not null`,
      );
    }
  }
  return withConditions(filter, (one) => replaced.some((picks) => picks(one)), added);
}
