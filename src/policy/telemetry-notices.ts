/** What Telemetries and default providers ask for and no sidecar does, or what another Telemetry hides. */
import type { ExtensionProvider } from "../api/extension-provider.ts";
import { quoted } from "../api/quoted.ts";
import { formatRef, type Notice, type Resource } from "../api/resource.ts";
import type { AccessLogging, Telemetry } from "../api/telemetry.ts";
import { isForNamespace, writesAccessLogs } from "./effective-telemetry.ts";
import { meshSettingsOf, ofKind } from "./mesh-snapshot.ts";
import { byAge } from "./mutual-tls.ts";

export function telemetryNotices(resources: readonly Resource[]): readonly Notice[] {
  const { extensionProviders, accessLog } = meshSettingsOf(resources);
  const telemetries = ofKind(resources, "Telemetry");
  const mesh = ofKind(resources, "MeshConfig")[0];
  return [
    ...telemetries.flatMap((telemetry) => providerNotices(telemetry, extensionProviders)),
    ...hiddenNotices(telemetries),
    ...(mesh === undefined ? [] : accessLog.providers).flatMap((name): readonly Notice[] => {
      const problem = providerProblem(name, extensionProviders);
      const path = "defaultProviders.accessLogging";
      return mesh && problem !== undefined
        ? [{ source: mesh.meta.source, path, message: problem }]
        : [];
    }),
  ];
}

function providerNotices(
  { meta, accessLogging }: Telemetry,
  providers: readonly ExtensionProvider[],
): readonly Notice[] {
  return accessLogging.flatMap((entry: AccessLogging, index) =>
    entry.providers.flatMap((name): readonly Notice[] => {
      const message = providerProblem(name, providers);
      const source = { file: meta.source.file, line: entry.line };
      const path = `spec.accessLogging[${index}].providers`;
      return message === undefined ? [] : [{ source, path, message }];
    }),
  );
}

function providerProblem(
  name: string,
  providers: readonly ExtensionProvider[],
): string | undefined {
  const provider = providers.find((one) => one.name.toLowerCase() === name.toLowerCase());
  if (provider === undefined) {
    return `no access log is written for ${quoted(name)}: extensionProviders of the mesh configuration does not define it`;
  }
  if (provider.kind === "envoyFileAccessLog") return undefined;
  return writesAccessLogs(provider)
    ? `no access log is sent to ${quoted(name)}: sidecars write files alone yet, and not to a provider of kind ${provider.kind}`
    : `no access log is written for ${quoted(name)}: a provider of kind ${provider.kind} takes none`;
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
