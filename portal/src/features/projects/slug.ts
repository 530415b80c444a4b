/** A proposal for the address of a project. Unlike the server it also spells Cyrillic in Latin letters. */

const letters: Record<string, string> = {
  а: "a",
  б: "b",
  в: "v",
  г: "g",
  д: "d",
  е: "e",
  ё: "e",
  ж: "zh",
  з: "z",
  и: "i",
  й: "i",
  к: "k",
  л: "l",
  м: "m",
  н: "n",
  о: "o",
  п: "p",
  р: "r",
  с: "s",
  т: "t",
  у: "u",
  ф: "f",
  х: "kh",
  ц: "ts",
  ч: "ch",
  ш: "sh",
  щ: "shch",
  ъ: "",
  ы: "y",
  ь: "",
  э: "e",
  ю: "iu",
  я: "ia",
  ß: "ss",
};

export const slugPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Lower-case ASCII letters, digits and single dashes, at most 60; empty when nothing is left. */
export function slugFrom(name: string): string {
  return name
    .normalize("NFC")
    .toLocaleLowerCase("ru")
    .replace(/[а-яёß]/g, (letter) => letters[letter] ?? "")
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 60)
    .replace(/-+$/, "");
}
