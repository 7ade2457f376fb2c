/** Spans for a collector of OpenTelemetry, told by Envoy itself, as a Telemetry asks for them. */
import type {
  EffectiveTracing,
  SideTracing,
  SpanTag,
  WorkloadView,
} from "../../policy/workload-view.ts";
import { typeUrl } from "../envoy-json.ts";
import { outboundClusterName } from "../istio-names.ts";
import { readable } from "./log-format.ts";

/** Fields of the connection manager. */
export interface TracingTerms {
  readonly tracing?: object;
  readonly requestIdExtension?: object;
}

const PERCENT_OF_10000 = 100;

/** @returns nothing where nobody asked for spans, or the collector is nowhere that this proxy could call */
export function tracingTerms(
  { telemetry, outbound }: Pick<WorkloadView, "telemetry" | "outbound">,
  side: "inbound" | "outbound",
): TracingTerms {
  const tracing = telemetry?.tracing?.[side];
  if (tracing === undefined || !canCall(outbound, tracing)) return {};
  const { sampledOf10000, maxPathLength, tags, propagation } = tracing;
  return {
    tracing: {
      clientSampling: { value: 100 },
      randomSampling: { value: sampledOf10000 / PERCENT_OF_10000 },
      overallSampling: { value: 100 },
      maxPathTagLength: maxPathLength,
      ...(tags.length > 0 && { customTags: lastOfEach(tags).map(customTag) }),
      ...(propagation === "off" && { noContextPropagation: true }),
      provider: provider(tracing),
    },
    requestIdExtension: {
      typedConfig: {
        "@type": typeUrl("envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig"),
        useRequestIdForTraceSampling: tracing.sampledBy === "request id",
      },
    },
  };
}

/** How spans of calls to a port are called; absent: as Envoy calls them. */
export function spanName(
  tracing: Pick<EffectiveTracing, "operations"> | undefined,
  containerPort: number | undefined,
): string | undefined {
  return tracing?.operations.find((one) => one.containerPort === containerPort)?.name;
}

function canCall(
  { destinations }: WorkloadView["outbound"],
  { collector: { host, port } }: SideTracing,
): boolean {
  return destinations.some((one) => one.host === host && one.servicePort === port);
}

function provider({ collector, serviceName }: SideTracing): object {
  const { host, port, protocol, path, timeoutMs, headers } = collector;
  const cluster = outboundClusterName({ host, servicePort: port });
  const timeout = `${timeoutMs / 1000}s`;
  const fields = Object.entries(headers).map(([key, value]) => ({ key, value }));
  const service =
    protocol === "grpc"
      ? {
          grpcService: {
            envoyGrpc: { clusterName: cluster, authority: host },
            timeout,
            ...(fields.length > 0 && { initialMetadata: fields }),
          },
        }
      : {
          httpService: {
            httpUri: { uri: `http://${host}${path}`, cluster, timeout },
            ...(fields.length > 0 && {
              requestHeadersToAdd: fields.map((header) => ({
                header,
                appendAction: "OVERWRITE_IF_EXISTS_OR_ADD",
              })),
            }),
          },
        };
  return {
    name: "envoy.tracers.opentelemetry",
    typedConfig: {
      "@type": typeUrl("envoy.config.trace.v3.OpenTelemetryConfig"),
      ...service,
      serviceName,
    },
  };
}

function lastOfEach(tags: readonly SpanTag[]): readonly SpanTag[] {
  return [...new Map(tags.map((tag) => [tag.name, tag])).values()];
}

function customTag(tag: SpanTag): object {
  const { name } = tag;
  if ("value" in tag) return { tag: name, literal: { value: tag.value } };
  if ("template" in tag) return { tag: name, value: readable(tag.template) };
  const { header, defaultValue } = tag;
  return {
    tag: name,
    requestHeader: { name: header, ...(defaultValue !== "" && { defaultValue }) },
  };
}
