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

/** PA-14, PA-15, VAL-10..VAL-12 */
function portModes(spec: Fields): ReadonlyMap<number, PeerAuthenticationMode> {
  const modes = new Map<number, PeerAuthenticationMode>();
  if (!spec.mentions("portLevelMtls")) return modes;
  const ports = spec.section("portLevelMtls");
  if (spec.saysNothing("portLevelMtls")) {
    spec.report("portLevelMtls", "must have at least one port, or be left out");
  }
  if (spec.section("selector").saysNothing("matchLabels")) {
    spec.report(
      "portLevelMtls",
      "needs a selector: a policy of a mesh or namespace cannot have it",
    );
  }
  for (const port of ports.names()) {
    if (!isPort(port)) ports.report(port, "is not a port: expected a number from 1 to 65535");
    modes.set(Number(port), ports.section(port).choice("mode", MUTUAL_TLS_MODES, "UNSET"));
  }
  return modes;
}

function isPort(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65_535;
}
