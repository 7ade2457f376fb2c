/** What a workload's sidecar tells of its calls: what Telemetries and the mesh configuration say, merged as Istio does. */
import type { ExtensionProvider, FileAccessLog } from "../api/extension-provider.ts";
import { selects } from "../api/label-selector.ts";
import type { LogFilter } from "../api/log-filter.ts";
import type { MeshSettings } from "../api/mesh-settings.ts";
import type { AccessLogging, Telemetry } from "../api/telemetry.ts";
import type { WorkloadMode } from "../api/workload-mode.ts";
import { effectiveTracing, type TracedWorkload } from "./effective-tracing.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { Workload } from "./workload.ts";
import type { AccessLog, EffectiveTelemetry } from "./workload-view.ts";

/** Whose sidecar tells of a call: the caller's, or the callee's (OBS-11). */
export type LoggingSide = Exclude<WorkloadMode, "CLIENT_AND_SERVER">;

/** @returns undefined when nobody asked for an access log (OBS-3) or spans */
export function effectiveTelemetry(
  snapshot: Pick<MeshSnapshot, "telemetries" | "settings" | "servicesByNamespace">,
  workload: TracedWorkload,
): EffectiveTelemetry | undefined {
  const applying = applyingTelemetries(snapshot, workload);
  const tracing = effectiveTracing(
    applying.flatMap((telemetry) => telemetry.tracing),
    { snapshot, workload },
  );
  const levels = applying
    .map(({ accessLogging }) => accessLogging)
    .filter((level) => level.length > 0);
  const { settings } = snapshot;
  const inbound = accessLogs(levels, { settings, side: "SERVER" });
  const outbound = accessLogs(levels, { settings, side: "CLIENT" });
  if (inbound.length + outbound.length === 0 && tracing === undefined) return undefined;
  return { inbound, outbound, ...(tracing && { tracing }) };
}

/**
 * Those that apply to a workload, the most general first: of all that are for a whole namespace the oldest, in the root
 * namespace and in the workload's own; then each that selects the workload, the oldest first (OBS-10, OBS-14).
 */
export function applyingTelemetries(
  { telemetries, settings: { rootNamespace } }: Pick<MeshSnapshot, "telemetries" | "settings">,
  { namespace, labels }: Pick<Workload, "namespace" | "labels">,
): readonly Telemetry[] {
  const own = telemetries.get(namespace) ?? [];
  const root = namespace === rootNamespace ? [] : (telemetries.get(rootNamespace) ?? []);
  return [
    ...root.filter(isForNamespace).slice(0, 1),
    ...own.filter(isForNamespace).slice(0, 1),
    ...own.filter((one) => isForWorkloads(one) && selects(one.selector, labels)),
  ];
}

/** Rather than for what it selects or targets. */
export function isForNamespace({ selector, targetRefs }: Telemetry): boolean {
  return Object.keys(selector).length === 0 && targetRefs.length === 0;
}

/** One that targets a gateway or a waypoint is for no sidecar. */
function isForWorkloads(telemetry: Telemetry): boolean {
  return !isForNamespace(telemetry) && telemetry.targetRefs.length === 0;
}

type Levels = readonly (readonly AccessLogging[])[];

interface Logging {
  readonly settings: Pick<MeshSettings, "accessLog" | "extensionProviders">;
  readonly side: LoggingSide;
}

/** Where neither a Telemetry nor a default provider says anything, `accessLogFile` counts. */
function accessLogs(levels: Levels, { settings, side }: Logging): readonly AccessLog[] {
  const { accessLog, extensionProviders } = settings;
  const named = mergeProviders(levels, { defaults: accessLog.providers, side });
  const told = [...named].flatMap(([name, spec]) => {
    const provider = extensionProviders.find((one) => sameName(one.name, name));
    return provider !== undefined && writesAccessLogs(provider) ? [{ provider, ...spec }] : [];
  });
  // As in Istio: providers that take no access logs leave the field of old in force.
  if (told.length === 0) return configuredLog(accessLog);
  return told
    .flatMap(({ provider, disabled, filter }) =>
      disabled || provider.kind !== "envoyFileAccessLog"
        ? []
        : [providerLog(provider, { accessLog, filter })],
    )
    .sort((one, other) => (one.provider < other.provider ? -1 : 1));
}

/** Kinds that take access logs in Istio; here only files do. */
export function writesAccessLogs({ kind }: ExtensionProvider): boolean {
  return kind === "envoyFileAccessLog" || UNSENT.has(kind);
}

const UNSENT: ReadonlySet<ExtensionProvider["kind"]> = new Set([
  "envoyHttpAls",
  "envoyTcpAls",
  "envoyOtelAls",
]);

function configuredLog({ file: path, format, refusals }: MeshSettings["accessLog"]): AccessLog[] {
  if (path === "") return [];
  return [{ provider: "", path, format, ...(refusals === "left out" && { refusals }) }];
}

function providerLog(
  { name, path, format }: FileAccessLog,
  {
    accessLog,
    filter,
  }: { readonly accessLog: MeshSettings["accessLog"]; readonly filter: LogFilter | undefined },
): AccessLog {
  const { refusals } = accessLog;
  const inherited = name === BUILT_IN ? accessLog.format : { encoding: "TEXT" as const };
  return {
    provider: name,
    path,
    format: format ?? inherited,
    ...(filter && { filter }),
    ...(refusals === "left out" && { refusals }),
  };
}

/** Its format is the mesh configuration's, unless it has one of its own. */
const BUILT_IN = "envoy";

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

interface ProviderSpec {
  readonly disabled: boolean;
  readonly filter?: LogFilter | undefined;
}

/**
 * Which providers are told, and with which filter (OBS-10): the most specific level that names providers for the side
 * says which; entries of all levels, in order, turn them on or off; the filter is the last that came with the name.
 *
 * @param levels entries of each Telemetry that says something, the most general first
 * @param defaults names from the mesh configuration
 */
export function mergeProviders(
  levels: Levels,
  { defaults, side }: { readonly defaults: readonly string[]; readonly side: LoggingSide },
): ReadonlyMap<string, ProviderSpec> {
  if (levels.length === 0) return new Map(defaults.map((name) => [name, { disabled: false }]));
  const applying = levels.map((level) => level.filter((entry) => isFor(entry, side)));
  const naming = applying.findLast((level) => level.some(({ providers }) => providers.length > 0));
  const inScope = new Set(naming?.flatMap(({ providers }) => providers) ?? defaults);
  const filters = lastFilters(applying.flat());
  const merged = new Map<string, ProviderSpec>();
  let inherited = defaults;
  for (const entry of levels.flat()) {
    // Also an entry for the other side says who is meant by those after it that name nobody.
    inherited = entry.providers.length > 0 ? entry.providers : inherited;
    if (!isFor(entry, side)) continue;
    for (const name of inherited) {
      if (!inScope.has(name)) continue;
      const filter = entry.disabled ? undefined : filters.get(name);
      merged.set(name, { disabled: entry.disabled, ...(filter && { filter }) });
    }
  }
  return merged;
}

/** An entry that names a provider without a filter takes the filter away. */
function lastFilters(
  entries: readonly AccessLogging[],
): ReadonlyMap<string, LogFilter | undefined> {
  return new Map(
    entries.flatMap(({ providers, filter }) => providers.map((name) => [name, filter] as const)),
  );
}

function isFor({ mode }: AccessLogging, side: LoggingSide): boolean {
  return mode === "CLIENT_AND_SERVER" || mode === side;
}
