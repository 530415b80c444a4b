import type { FieldValues, Path, UseFormReturn } from "react-hook-form";
import { isProblem } from "@/api/problem";

/**
 * Puts the server's words beside the fields they belong to.
 *
 * @param codes fields that a problem code speaks of: `{ "email-taken": "email" }`.
 * @returns whether everything found a field; otherwise the form shows the problem as a whole.
 */
export function placeProblem<Values extends FieldValues>(
  form: UseFormReturn<Values>,
  error: unknown,
  describe: (error: unknown) => string,
  codes: Partial<Record<string, Path<Values>>> = {},
): boolean {
  if (!isProblem(error)) return false;
  const named = codes[error.code];
  if (named) {
    form.setError(named, { message: describe(error) }, { shouldFocus: true });
    return true;
  }
  const known = Object.keys(form.getValues());
  const entries = Object.entries(error.fields);
  for (const [field, detail] of entries) {
    if (known.includes(field)) form.setError(field as Path<Values>, { message: detail });
  }
  return entries.length > 0 && entries.every(([field]) => known.includes(field));
}
