/** What TLS of the mesh and of others has in common in Envoy's form: versions, and whom the other end must prove to be. */
import { isIP } from "node:net";
import type { Trust } from "../policy/workload-view.ts";
import { type TransportSocket, typeUrl } from "./envoy-json.ts";

const TLS = "envoy.transport_sockets.tls";
const PACKAGE = "envoy.extensions.transport_sockets.tls.v3";

const VERSIONS: Readonly<Record<Trust["minimumTlsVersion"], string>> = {
  "TLSv1.2": "TLSv1_2",
  "TLSv1.3": "TLSv1_3",
};

export function tlsSocket(
  context: "DownstreamTlsContext" | "UpstreamTlsContext",
  fields: Readonly<Record<string, unknown>>,
): TransportSocket {
  return { name: TLS, typedConfig: { "@type": typeUrl(`${PACKAGE}.${context}`), ...fields } };
}

export const RAW_BUFFER: TransportSocket = {
  name: "envoy.transport_sockets.raw_buffer",
  typedConfig: { "@type": typeUrl("envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer") },
};

export function tlsVersions(
  least: Trust["minimumTlsVersion"],
  most: Trust["minimumTlsVersion"] = "TLSv1.3",
): object {
  return {
    tlsMinimumProtocolVersion: VERSIONS[least],
    tlsMaximumProtocolVersion: VERSIONS[most],
  };
}

/** envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher */
export interface NameMatcher {
  readonly sanType: "URI" | "DNS" | "IP_ADDRESS";
  readonly matcher: { readonly exact: string } | { readonly prefix: string };
}

/** Any identity of the mesh (TLS-4). */
export function trustDomainMatchers({
  trustDomain,
  trustDomainAliases,
}: Trust): readonly NameMatcher[] {
  return [trustDomain, ...trustDomainAliases].map((domain) => ({
    sanType: "URI",
    matcher: { prefix: `spiffe://${domain}/` },
  }));
}

/** @param name a URI, an IP address or a DNS name */
export function nameMatcher(name: string): NameMatcher {
  if (name.includes("://")) return { sanType: "URI", matcher: { exact: name } };
  return { sanType: isIP(name) === 0 ? "DNS" : "IP_ADDRESS", matcher: { exact: name } };
}
