/**
 * PeerAuthentication: the mutual TLS a workload demands of its callers (PA-1).
 * Source: https://istio.io/latest/docs/reference/config/security/peer_authentication/
 */
import type { Fields } from "./decoder.ts";
import { workloadSelector } from "./label-selector.ts";
import type { Labels, ResourceMeta } from "./resource.ts";

export const MUTUAL_TLS_MODES = ["UNSET", "DISABLE", "PERMISSIVE", "STRICT"] as const;
export type PeerAuthenticationMode = (typeof MUTUAL_TLS_MODES)[number];

export interface PeerAuthentication {
  readonly kind: "PeerAuthentication";
  readonly meta: ResourceMeta;
  /** Empty selects every workload in scope (PA-2). */
  readonly selector: Labels;
  readonly mode: PeerAuthenticationMode;
  /** Keys are container ports (PA-16). */
  readonly portModes: ReadonlyMap<number, PeerAuthenticationMode>;
}

export function peerAuthentication(meta: ResourceMeta, root: Fields): PeerAuthentication {
  const spec = root.section("spec");
  const selector = workloadSelector(spec);
  const mode = spec.section("mtls").choice("mode", MUTUAL_TLS_MODES, "UNSET");
  return { kind: "PeerAuthentication", meta, selector, mode, portModes: portModes(spec) };
}

/** PA-14, PA-15 */
function portModes(spec: Fields): ReadonlyMap<number, PeerAuthenticationMode> {
  const ports = spec.section("portLevelMtls");
  return new Map(
    ports
      .names()
      .map((port) => [Number(port), ports.section(port).choice("mode", MUTUAL_TLS_MODES, "UNSET")]),
  );
}
