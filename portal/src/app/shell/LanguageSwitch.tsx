import { Button, Tooltip } from "@mantine/core";
import { type Language, setPreferences, usePreferences } from "@/ui/preferences";

export const languageNames: Record<Language, string> = { en: "English", ru: "Русский" };

/** Offers the other language, named in that language, so that it is found by who needs it. */
export function LanguageSwitch() {
  const { language } = usePreferences();
  const other: Language = language === "en" ? "ru" : "en";
  return (
    <Tooltip label={languageNames[other]}>
      <Button
        variant="subtle"
        color="gray"
        size="compact-md"
        px={8}
        lang={other}
        aria-label={`${other.toUpperCase()} – ${languageNames[other]}`}
        onClick={() => setPreferences({ language: other })}
      >
        {other.toUpperCase()}
      </Button>
    </Tooltip>
  );
}
