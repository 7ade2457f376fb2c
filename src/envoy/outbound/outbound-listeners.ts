/** Everything that faces the pod's own application. */
import { DEFAULT_PROXY_HEADERS, type ProxyHeaders } from "../../api/proxy-headers.ts";
import type {
  EffectiveTelemetry,
  Interception,
  Outbound,
  Trust,
  WorkloadView,
} from "../../policy/workload-view.ts";
import type { EnvoyListener } from "../envoy-json.ts";
import { trustFingerprint } from "../fingerprint.ts";
import type { ProxySettings } from "../proxy-settings.ts";
import { remembered } from "../remembered.ts";
import { callerChains } from "./called-chains.ts";
import { capturedListeners } from "./captured-listeners.ts";
import { loopbackListeners } from "./loopback-listeners.ts";

/** Of callers of which all this is the same they are the same. */
export function outboundListeners(
  { outbound, trust, interception, telemetry, proxyHeaders }: WorkloadView,
  settings: ProxySettings,
): readonly EnvoyListener[] {
  return made(
    outbound,
    trust,
    settings,
    telemetry ?? NO_TELEMETRY,
    proxyHeaders ?? DEFAULT_PROXY_HEADERS,
    interception ?? ON_LOOPBACK,
  );
}

const NO_TELEMETRY: EffectiveTelemetry = { inbound: [], outbound: [] };
const ON_LOOPBACK = { network: "the machine's" } as const;

const made: (
  outbound: Outbound,
  trust: Trust,
  settings: ProxySettings,
  telemetry: EffectiveTelemetry,
  proxyHeaders: ProxyHeaders,
  network: Interception | typeof ON_LOOPBACK,
) => readonly EnvoyListener[] = remembered(
  (outbound, trust, { capture }, telemetry, proxyHeaders, network) => {
    const caller = callerChains({ outbound, telemetry, proxyHeaders }, trustFingerprint(trust));
    if (capture === undefined || "network" in network) return loopbackListeners(caller);
    return capturedListeners(caller, network, capture);
  },
);
