import { type ComponentProps, lazy } from "react";
import { addTexts } from "@/app/i18n";
import type { RunArtifacts } from "@/features/artifacts/components/RunArtifacts";

const Artifacts = lazy(async () => {
  const [found] = await Promise.all([
    import("@/features/artifacts/components/RunArtifacts"),
    addTexts("files"),
  ]);
  return { default: found.RunArtifacts };
});

/** The files of a run, fetched with their texts when somebody opens them. */
export function runArtifacts(props: ComponentProps<typeof RunArtifacts>) {
  return <Artifacts {...props} />;
}
