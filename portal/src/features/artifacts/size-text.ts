import { type Formats, useFormats } from "@/ui/format";

const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** `12 B`, `3.4 MB`: powers of a thousand, as file managers count them. */
export function sizeText(formats: Pick<Formats, "number">, bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  return formats.number(bytes / 1000 ** power, {
    style: "unit",
    unit: units[power] ?? "byte",
    unitDisplay: power === 0 ? "narrow" : "short",
    maximumSignificantDigits: power === 0 ? 4 : 3,
  });
}

export function useSizeText(): (bytes: number) => string {
  const formats = useFormats();
  return (bytes) => sizeText(formats, bytes);
}
