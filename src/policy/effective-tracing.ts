/** Of which requests a workload's sidecar tells spans, to whom, and what stands in them: merged as Istio does. */
import type { CustomTag } from "../api/custom-tag.ts";
import type { ExtensionProvider } from "../api/extension-provider.ts";
import type { OpenTelemetryCollector } from "../api/span-collector.ts";
import type { Switch, Tracing } from "../api/tracing.ts";
import type { WorkloadMode } from "../api/workload-mode.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { serviceHost } from "./service-host.ts";
import { targetContainerPort } from "./service-target.ts";
import { istioTags, serviceNameOf, spanTags } from "./span-tags.ts";
import type { Workload } from "./workload.ts";
import type { EffectiveTracing, SideTracing } from "./workload-view.ts";

type TracingSide = Exclude<WorkloadMode, "CLIENT_AND_SERVER">;
type TracingSources = Pick<MeshSnapshot, "settings" | "servicesByNamespace">;
export type TracedWorkload = Pick<
  Workload,
  "namespace" | "name" | "owner" | "labels" | "serviceAccount" | "ports"
>;

/**
 * @param entries of all Telemetries that apply, the most general first
 * @returns undefined when nobody asked for spans, or those who did named nobody whom they could be sent to
 */
export function effectiveTracing(
  entries: readonly Tracing[],
  { snapshot, workload }: { readonly snapshot: TracingSources; readonly workload: TracedWorkload },
): EffectiveTracing | undefined {
  const { tracing, extensionProviders } = snapshot.settings;
  const side = (mode: TracingSide): SideTracing | undefined => {
    const spec = mergeTracing(entries, { defaults: tracing.providers, side: mode });
    const provider = providerNamed(spec.provider, extensionProviders);
    if (spec.reporting === "off" || provider?.kind !== "opentelemetry") return undefined;
    return sideTracing(spec, { provider, snapshot, workload });
  };
  const inbound = side("SERVER");
  const outbound = side("CLIENT");
  if (inbound === undefined && outbound === undefined) return undefined;
  return {
    ...(inbound && { inbound }),
    ...(outbound && { outbound }),
    operations: inbound === undefined ? [] : operationsOf(workload, snapshot),
  };
}

/** What all entries together say of one side. */
export interface TracingSpec {
  readonly provider: string | undefined;
  readonly reporting: Switch;
  readonly samplingPercentage: number | undefined;
  readonly customTags: readonly CustomTag[];
  readonly samplingByRequestId: Switch;
  readonly istioTags: Switch;
  readonly propagation: Switch;
}

/**
 * What the last entry for a side says counts, field by field; of several providers the first.
 *
 * @param defaults names from the mesh configuration, of which the first counts
 */
export function mergeTracing(
  entries: readonly Tracing[],
  { defaults, side }: { readonly defaults: readonly string[]; readonly side: TracingSide },
): TracingSpec {
  const own = entries.filter(({ mode }) => mode === "CLIENT_AND_SERVER" || mode === side);
  const last = <K extends keyof Tracing>(field: K): Tracing[K] | undefined =>
    own.findLast((entry) => entry[field] !== undefined)?.[field];
  return {
    provider: own.findLast(({ providers }) => providers.length > 0)?.providers[0] ?? defaults[0],
    reporting: last("reporting") ?? "on",
    samplingPercentage: last("samplingPercentage"),
    customTags: last("customTags") ?? [],
    samplingByRequestId: last("samplingByRequestId") ?? "on",
    istioTags: last("istioTags") ?? "on",
    propagation: last("propagation") ?? "on",
  };
}

/** Kinds that take spans in Istio; here only one does. */
export function takesSpans({ kind }: ExtensionProvider): boolean {
  return kind === "opentelemetry" || UNSENT.has(kind);
}

const UNSENT: ReadonlySet<ExtensionProvider["kind"]> = new Set([
  "zipkin",
  "lightstep",
  "datadog",
  "skywalking",
  "opencensus",
  "stackdriver",
]);

/** As Istio finds them: letter case does not matter. */
export function providerNamed(
  name: string | undefined,
  providers: readonly ExtensionProvider[],
): ExtensionProvider | undefined {
  return providers.find((one) => one.name.toLowerCase() === name?.toLowerCase());
}

interface SideSources {
  readonly provider: OpenTelemetryCollector;
  readonly snapshot: TracingSources;
  readonly workload: TracedWorkload;
}

function sideTracing(
  spec: TracingSpec,
  { provider, snapshot: { settings }, workload }: SideSources,
): SideTracing {
  const { tracing } = settings;
  const own = spec.customTags.length > 0 ? spec.customTags : tracing.customTags;
  return {
    collector: collectorOf(provider),
    serviceName: serviceNameOf(workload, provider.serviceNaming),
    sampledOf10000: Math.round((spec.samplingPercentage ?? tracing.samplingPercentage) * 100),
    sampledBy: spec.samplingByRequestId === "on" ? "request id" : "chance",
    propagation: spec.propagation,
    maxPathLength: provider.maxTagLength ?? tracing.maxPathTagLength,
    tags: [
      ...(spec.istioTags === "on" ? istioTags(workload, settings) : []),
      ...spanTags(own, { workload, settings }),
    ],
  };
}

function collectorOf({
  name: provider,
  service,
  port,
  protocol,
  path,
  timeoutMs,
  headers,
}: OpenTelemetryCollector): SideTracing["collector"] {
  const [namespace, host = ""] = service.includes("/")
    ? service.split("/", 2)
    : [undefined, service];
  const place = { host, port, ...(namespace !== undefined && { namespace }) };
  return { provider, ...place, protocol, path, timeoutMs, headers };
}

/** As Istio's routes are called: `api.shop.svc.cluster.local:80/*`, by the first service that leads to a port. */
function operationsOf(
  workload: TracedWorkload,
  { servicesByNamespace }: TracingSources,
): EffectiveTracing["operations"] {
  const found = new Map<number, string>();
  for (const { service, workloads } of servicesByNamespace.get(workload.namespace) ?? []) {
    if (!workloads.some((one) => one === workload)) continue;
    for (const port of service.ports) {
      const containerPort = targetContainerPort(port, workload)?.containerPort;
      if (containerPort === undefined || found.has(containerPort)) continue;
      found.set(containerPort, `${serviceHost(service.meta)}:${port.port}/*`);
    }
  }
  return [...found].map(([containerPort, name]) => ({ containerPort, name }));
}
