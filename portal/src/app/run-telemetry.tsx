import { type ComponentProps, lazy } from "react";
import { addTexts } from "@/app/i18n";
import type { RunTelemetry } from "@/features/telemetry/components/RunTelemetry";

const Telemetry = lazy(async () => {
  const [found] = await Promise.all([
    import("@/features/telemetry/components/RunTelemetry"),
    addTexts("telemetry"),
  ]);
  return { default: found.RunTelemetry };
});

/** The telemetry of a run, fetched with its texts when somebody opens it. */
export function runTelemetry(props: ComponentProps<typeof RunTelemetry>) {
  return <Telemetry {...props} />;
}
