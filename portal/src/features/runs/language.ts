/**
 * The search language as the filter box has to know it: enough to complete what is being typed, and to read
 * and write single conditions. What is right and what is wrong with an expression the server alone decides.
 */

export type Token = {
  kind: "name" | "text" | "number" | "operator" | "mark" | "other";
  text: string;
  from: number;
  to: number;
};

/** One condition of an expression: its part of the text, and its words where it can be understood. */
export type Condition = {
  from: number;
  to: number;
  field: string;
  operator: string;
  values: string[];
};

export const kinds = ["attributes", "params", "metrics", "tags", "datasets"] as const;
export type Kind = (typeof kinds)[number];

const patterns: [Token["kind"], RegExp][] = [
  // A key may stand in quotes behind its kind: metrics."val/loss", params.`batch size`.
  ["name", /[a-z_]\w*(?:\.(?:"[^"]*"?|`[^`]*`?|[^\s"'`=!<>,()]+)?)?/iy],
  ["text", /"(?:[^"]|"")*"?|'(?:[^']|'')*'?/y],
  ["number", /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d*)?/iy],
  ["operator", /!=|<=|>=|<>|=|<|>/y],
  ["mark", /[(),]/y],
  ["other", /[^\s]/y],
];

export function tokens(text: string): Token[] {
  const found: Token[] = [];
  let place = 0;
  while (place < text.length) {
    if (/\s/.test(text[place] ?? "")) {
      place += 1;
      continue;
    }
    for (const [kind, pattern] of patterns) {
      pattern.lastIndex = place;
      const match = pattern.exec(text);
      if (!match) continue;
      found.push({ kind, text: match[0], from: place, to: place + match[0].length });
      place += match[0].length;
      break;
    }
  }
  return found;
}

const is = (token: Token | undefined, word: string) => token?.text.toLowerCase() === word;

/** The operator that begins at a token: its name and how many tokens it takes; nothing where none does. */
function operatorAt(all: readonly Token[], at: number): { name: string; length: number } | null {
  const token = all[at];
  if (!token) return null;
  if (token.kind === "operator") return { name: token.text, length: 1 };
  const [word, next] = [token.text.toLowerCase(), all[at + 1]];
  if (["like", "ilike", "in"].includes(word)) return { name: word, length: 1 };
  if (word === "not" && (is(next, "in") || is(next, "like") || is(next, "ilike"))) {
    return { name: `not ${next?.text.toLowerCase()}`, length: 2 };
  }
  if (word === "is")
    return is(next, "not") ? { name: "is not", length: 2 } : { name: "is", length: 1 };
  return null;
}

/** The conditions of an expression, or nothing where it is not a plain chain of them. */
export function conditions(text: string): Condition[] | null {
  const all = tokens(text);
  const found: Condition[] = [];
  let at = 0;
  while (at < all.length) {
    const field = all[at];
    const operator = operatorAt(all, at + 1);
    if (field?.kind !== "name" || !operator) return null;
    at += 1 + operator.length;
    const values: string[] = [];
    if (operator.name.endsWith("in")) {
      if (!is(all[at], "(")) return null;
      for (at += 1; at < all.length && !is(all[at], ")"); at += 1) {
        const token = all[at];
        if (token && token.kind !== "mark") values.push(unquoted(token.text));
      }
      if (!is(all[at], ")")) return null;
    } else {
      const token = all[at];
      if (!token || token.kind === "mark" || token.kind === "operator") return null;
      values.push(unquoted(token.text));
    }
    const last = all[at];
    found.push({
      from: field.from,
      to: last?.to ?? text.length,
      field: plainField(field.text),
      operator: operator.name,
      values,
    });
    at += 1;
    if (at < all.length) {
      if (!is(all[at], "and") || at + 1 === all.length) return null;
      at += 1;
    }
  }
  return found;
}

/** The expression with other conditions instead of those that `replaced` picks; the rest stays as typed. */
export function withConditions(
  text: string,
  replaced: (condition: Condition) => boolean,
  added: readonly string[],
): string {
  const kept = (conditions(text) ?? [])
    .filter((condition) => !replaced(condition))
    .map(({ from, to }) => text.slice(from, to));
  return [...kept, ...added].join(" and ");
}

/** Expressions that must all hold, as one; what holds an `or` is put in parentheses. */
export function joined(...parts: readonly string[]): string {
  const there = parts.filter((part) => part.trim() !== "");
  if (there.length < 2) return there.join("");
  const loose = (part: string) => tokens(part).some((token) => is(token, "or"));
  return there.map((part) => (loose(part) ? `(${part})` : part)).join(" and ");
}

/** `metrics."val/loss"` → `metrics.val/loss`: a field as the server names it. */
export function plainField(text: string): string {
  return text.replace(/^(\w+)\.(["`])(.*?)\2?$/s, "$1.$3");
}

/** `metrics.val/loss` → `metrics."val/loss"`: a field as it is written in an expression. */
export function writtenField(field: string): string {
  const dot = field.indexOf(".");
  if (dot < 0) return field;
  const [kind, key] = [field.slice(0, dot), field.slice(dot + 1)];
  if (/^[A-Za-z_]\w*(\.\w+)*$/.test(key)) return field;
  return key.includes('"') ? `${kind}.\`${key}\`` : `${kind}."${key}"`;
}

/** A value as it is written in an expression: numbers bare, all else in quotes; a quote in it is doubled. */
export function writtenValue(value: string | number | boolean): string {
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  const text = String(value);
  return text.includes('"') ? `'${text.replaceAll("'", "''")}'` : `"${text}"`;
}

function unquoted(text: string): string {
  const quote = text[0] ?? "";
  if (quote !== '"' && quote !== "'") return text;
  const closed = text.length > 1 && text.endsWith(quote);
  return text.slice(1, closed ? -1 : undefined).replaceAll(quote + quote, quote);
}

/** What may be typed at a place of an expression, and the part of the text that a choice replaces. */
export type Stage =
  | { kind: "field" | "operator" | "joint"; from: number; to: number; typed: string; field: string }
  | { kind: "value"; from: number; to: number; typed: string; field: string; operator: string };

/** Where the caret stands: in a field, an operator, a value, or behind a whole condition. */
export function stageAt(text: string, caret: number): Stage {
  const all = tokens(text);
  // The token being typed ends at the caret or around it.
  const touched = all.findIndex(({ from, to }) => from < caret && caret <= to);
  const current = all[touched];
  const before = touched >= 0 ? touched : all.filter(({ to }) => to <= caret).length;
  const part = {
    from: current?.from ?? caret,
    to: current?.to ?? caret,
    typed: text.slice(current?.from ?? caret, caret),
  };

  let at = 0;
  for (;;) {
    const field = plainField(all[at]?.text ?? "");
    if (before <= at) return { kind: "field", ...part, field: "" };
    at += 1;
    if (before <= at) return { kind: "operator", ...part, field };
    const operator = operatorAt(all, at);
    if (!operator) return { kind: "operator", ...part, field };
    if (before < at + operator.length) return { kind: "operator", ...part, field };
    at += operator.length;
    if (operator.name.endsWith("in")) {
      while (at < all.length && at < before && !is(all[at], ")")) at += 1;
      if (before <= at) {
        // The mark before a value belongs to the list, not to what is typed.
        const inside = current?.kind === "mark" ? { from: caret, to: caret, typed: "" } : part;
        return { kind: "value", ...inside, field, operator: operator.name };
      }
    } else if (before <= at) {
      return { kind: "value", ...part, field, operator: operator.name };
    }
    at += 1;
    if (before <= at) return { kind: "joint", ...part, field };
    at += 1;
  }
}
