/** The address of a project, made from its name as the server does it. */

const cyrillic: Record<string, string> = {
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
};

export const slugPattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Lower-case ASCII letters, digits and single dashes, at most 60; empty when nothing is left. */
export function slugFrom(name: string): string {
  return name
    .normalize("NFC")
    .toLocaleLowerCase("ru")
    .replace(/[а-яё]/g, (letter) => cyrillic[letter] ?? "")
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 60)
    .replace(/^-+|-+$/g, "");
}
