/** What is spoken on connections of a cluster that carry requests, and how long they live. */
import type { EffectiveConnectionPool } from "../../policy/effective-traffic-policy.ts";
import type { Destination } from "../../policy/workload-view.ts";
import { duration, typeUrl } from "../envoy-json.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { type ClusterTerms, policyOf } from "./traffic-policy-terms.ts";

/** By whom the version is said: the destination's port or rule, or the client, request by request. */
export type UpstreamVersion = "HTTP/1.1" | "HTTP/2" | "client's";

const OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** As `applicationProtocol` of the sidecar says it, and `setUpstreamProtocol` of istiod. */
export function upstreamVersion(destination: Destination): UpstreamVersion {
  const { httpVersion } = policyOf(destination).connectionPool;
  if (httpVersion === "HTTP/2") return "HTTP/2";
  if (httpVersion === "client's" || destination.protocol === "auto") return "client's";
  return destination.protocol === "http2" ? "HTTP/2" : "HTTP/1.1";
}

/** Of a destination that carries no requests: nothing. */
export function upstreamHttp(destination: Destination, settings: ProxySettings): ClusterTerms {
  const { connectionPool } = policyOf(destination);
  const age = lifetimeMs(connectionPool, destination, settings);
  return httpProtocolOptions({
    version: upstreamVersion(destination),
    common: {
      idleTimeout: duration(connectionPool.httpIdleTimeoutMs ?? 0),
      ...(connectionPool.maxRequestsPerConnection !== undefined && {
        maxRequestsPerConnection: connectionPool.maxRequestsPerConnection,
      }),
      ...(age !== undefined && { maxConnectionDuration: duration(age) }),
    },
    more: nameOfCallee(destination),
  });
}

export function httpProtocolOptions({
  version,
  common = {},
  more = {},
}: {
  readonly version: UpstreamVersion;
  readonly common?: ClusterTerms;
  readonly more?: ClusterTerms;
}): ClusterTerms {
  const options = {
    "@type": typeUrl(OPTIONS),
    ...(Object.keys(common).length > 0 && { commonHttpProtocolOptions: common }),
    ...more,
    ...spoken(version),
  };
  return { typedExtensionProtocolOptions: { [OPTIONS]: options } };
}

function spoken(version: UpstreamVersion): ClusterTerms {
  switch (version) {
    case "HTTP/1.1":
      return { explicitHttpConfig: { httpProtocolOptions: {} } };
    case "HTTP/2":
      return { explicitHttpConfig: { http2ProtocolOptions: {} } };
    case "client's":
      return {
        useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
      };
  }
}

/** Whatever comes first: the rule's limit, or that of the certificate with which a connection was opened. */
function lifetimeMs(
  { httpMaxConnectionDurationMs }: EffectiveConnectionPool,
  { clientTls }: Destination,
  { connectionAgeSeconds }: ProxySettings,
): number | undefined {
  const isOfMesh = clientTls === undefined || clientTls.mode === "ISTIO_MUTUAL";
  const ages = [
    ...(httpMaxConnectionDurationMs === undefined ? [] : [httpMaxConnectionDurationMs]),
    ...(isOfMesh && connectionAgeSeconds !== undefined ? [connectionAgeSeconds * 1_000] : []),
  ];
  return ages.length === 0 ? undefined : Math.min(...ages);
}

/** TLS-37: of a wildcard only a request's host says which name is meant; by it a callee is called, and checked. */
function nameOfCallee({ host, tlsOrigination }: Destination): ClusterTerms {
  if (tlsOrigination === undefined || !host.startsWith("*")) return {};
  const { sni, subjectAltNames, verification } = tlsOrigination;
  const named = {
    ...(sni === undefined && { autoSni: true }),
    ...(verification === "name" && subjectAltNames === undefined && { autoSanValidation: true }),
  };
  return Object.keys(named).length === 0 ? {} : { upstreamHttpProtocolOptions: named };
}
