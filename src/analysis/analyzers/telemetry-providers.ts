/** Telemetries that name no provider where the mesh has no default, and providers that are gone. */
import { type Analyzer, finding } from "../finding.ts";

export const telemetryProviders: Analyzer = {
  name: "telemetry.ProviderAnalyzer",
  about: "access logs of a Telemetry that no provider writes",
  once: true,
  *analyze(mesh) {
    if (mesh.meshConfig.at("defaultProviders", "accessLogging").size > 0) return;
    for (const telemetry of mesh.of("Telemetry"))
      for (const log of telemetry.spec.at("accessLogging").items)
        if (!log.at("disabled").isTrue && log.at("providers").size === 0)
          yield finding(telemetry, "IST0157", [telemetry.name, telemetry.namespace], log);
  },
};

export const telemetryLightstep: Analyzer = {
  name: "telemetry.LightstepAnalyzer",
  about: "Telemetries whose provider is Lightstep's own",
  once: true,
  *analyze(mesh) {
    const names = mesh.meshConfig
      .at("extensionProviders")
      .items.filter((provider) => provider.at("lightstep").exists)
      .map((provider) => provider.at("name").text);
    for (const telemetry of mesh.of("Telemetry"))
      for (const provider of telemetry.spec
        .at("tracing")
        .items.flatMap((one) => one.at("providers").items)) {
        const name = provider.at("name").text;
        const words = `The Lightstep provider ${name} is deprecated, please migrate to OpenTelemetry provider.`;
        if (names.includes(name)) yield finding(telemetry, "IST0002", [words], provider);
      }
  },
};
