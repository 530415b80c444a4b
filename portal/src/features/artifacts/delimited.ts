/** Tables written as text: RFC 4180 with any line ends; the separator is read from the first line. */

export type TextTable = {
  columns: string[];
  rows: string[][];
  /** Whether the text ends before the table does, or has more rows than were asked for. */
  more: boolean;
};

function separatorOf(text: string): string {
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const count = (separator: string) => line.split(separator).length;
  const [best = ","] = [",", "\t", ";", "|"].toSorted((a, b) => count(b) - count(a));
  return best;
}

/**
 * The first rows of a table. `whole` tells whether `text` is all of it: the last line of a text that was cut
 * off is left out, for it may be half a row.
 */
export function parseDelimited(text: string, atMost: number, whole: boolean): TextTable {
  const content = text.replace(/^\uFEFF/, "");
  const separator = separatorOf(content);
  const lines: string[][] = [];
  let row: string[] = [];
  let at = 0;
  const ended = () => {
    if (row.length > 1 || row[0] !== "") lines.push(row);
    row = [];
  };
  while (at < content.length && lines.length <= atMost + 1) {
    let value = "";
    if (content[at] === '"') {
      const [quoted, next] = readQuoted(content, at + 1);
      value = quoted;
      at = next;
    }
    const start = at;
    while (at < content.length && !isEnd(content[at], separator)) at += 1;
    row.push(value + content.slice(start, at));
    if (at >= content.length) break;
    if (content[at] === separator) {
      at += 1;
      if (at >= content.length) row.push("");
      continue;
    }
    at += content[at] === "\r" && content[at + 1] === "\n" ? 2 : 1;
    ended();
  }
  if (row.length > 0 && whole) ended();
  const [columns = [], ...rows] = lines;
  return { columns, rows: rows.slice(0, atMost), more: !whole || rows.length > atMost };
}

function isEnd(character: string | undefined, separator: string): boolean {
  return character === separator || character === "\n" || character === "\r";
}

/** The text up to the closing quote, and the place behind it; a doubled quote stands for one. */
function readQuoted(content: string, from: number): [string, number] {
  let at = from;
  let value = "";
  for (;;) {
    const quote = content.indexOf('"', at);
    if (quote === -1) return [value + content.slice(at), content.length];
    value += content.slice(at, quote);
    if (content[quote + 1] !== '"') return [value, quote + 1];
    value += '"';
    at = quote + 2;
  }
}
