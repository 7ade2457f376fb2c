/** What Telemetries and default providers ask for and no sidecar does, or what another Telemetry hides. */
import type { ExtensionProvider } from "../api/extension-provider.ts";
import { quoted } from "../api/quoted.ts";
import { formatRef, type Notice, type Resource } from "../api/resource.ts";
import type { Telemetry } from "../api/telemetry.ts";
import { isForNamespace, writesAccessLogs } from "./effective-telemetry.ts";
import { providerNamed, takesSpans } from "./effective-tracing.ts";
import { meshSettingsOf, ofKind } from "./mesh-snapshot.ts";
import { byAge } from "./mutual-tls.ts";

export function telemetryNotices(resources: readonly Resource[]): readonly Notice[] {
  const { extensionProviders, accessLog, tracing } = meshSettingsOf(resources);
  const telemetries = ofKind(resources, "Telemetry");
  const mesh = ofKind(resources, "MeshConfig")[0];
  const byDefault = {
    accessLogging: accessLog.providers,
    tracing: tracing.providers.slice(0, 1),
  };
  return [
    ...telemetries.flatMap((telemetry) => providerNotices(telemetry, extensionProviders)),
    ...hiddenNotices(telemetries),
    ...(mesh === undefined ? [] : FIELDS).flatMap((field) =>
      byDefault[field].flatMap((name): readonly Notice[] => {
        const message = PROBLEMS[field](name, extensionProviders);
        const path = `defaultProviders.${field}`;
        return mesh && message !== undefined ? [{ source: mesh.meta.source, path, message }] : [];
      }),
    ),
  ];
}

const FIELDS = ["accessLogging", "tracing"] as const;

type Problem = (name: string, providers: readonly ExtensionProvider[]) => string | undefined;

const PROBLEMS: Readonly<Record<(typeof FIELDS)[number], Problem>> = {
  accessLogging: logProblem,
  tracing: spanProblem,
};

function providerNotices(
  telemetry: Telemetry,
  providers: readonly ExtensionProvider[],
): readonly Notice[] {
  return FIELDS.flatMap((field) =>
    telemetry[field].flatMap((entry, index) =>
      entry.providers.flatMap((name): readonly Notice[] => {
        const message = PROBLEMS[field](name, providers);
        const source = { file: telemetry.meta.source.file, line: entry.line };
        const path = `spec.${field}[${index}].providers`;
        return message === undefined ? [] : [{ source, path, message }];
      }),
    ),
  );
}

function logProblem(name: string, providers: readonly ExtensionProvider[]): string | undefined {
  const provider = providerNamed(name, providers);
  if (provider === undefined) {
    return `no access log is written for ${quoted(name)}: extensionProviders of the mesh configuration does not define it`;
  }
  if (provider.kind === "envoyFileAccessLog") return undefined;
  return writesAccessLogs(provider)
    ? `no access log is sent to ${quoted(name)}: sidecars write files alone yet, and not to a provider of kind ${provider.kind}`
    : `no access log is written for ${quoted(name)}: a provider of kind ${provider.kind} takes none`;
}

function spanProblem(name: string, providers: readonly ExtensionProvider[]): string | undefined {
  const provider = providerNamed(name, providers);
  if (provider === undefined) {
    return `no spans are sent to ${quoted(name)}: extensionProviders of the mesh configuration does not define it`;
  }
  if (provider.kind === "opentelemetry") return undefined;
  return takesSpans(provider)
    ? `no spans are sent to ${quoted(name)}: sidecars speak OTLP alone, to providers of kind opentelemetry, and not to one of kind ${provider.kind}`
    : `no spans are sent to ${quoted(name)}: a provider of kind ${provider.kind} takes none`;
}

/** OBS-14: of several for a whole namespace the oldest counts. */
function hiddenNotices(telemetries: readonly Telemetry[]): readonly Notice[] {
  const first = new Map<string, Telemetry>();
  return telemetries
    .filter(isForNamespace)
    .toSorted(byAge)
    .flatMap((telemetry): readonly Notice[] => {
      const { meta, kind } = telemetry;
      const winner = first.get(meta.namespace);
      if (winner === undefined) {
        first.set(meta.namespace, telemetry);
        return [];
      }
      const ref = formatRef({ kind, ...winner.meta });
      const message = `has no effect: ${ref} is for the whole namespace too, and older, or comes first by name`;
      return [{ source: meta.source, path: "", message }];
    });
}
