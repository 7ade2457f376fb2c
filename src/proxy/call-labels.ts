/** Under which labels of Istio's metrics a call is counted: what both ends proved, and what each knows of itself. */
import type { SpiffeId } from "../identity/spiffe-id.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { CallLabels, CallParty } from "../telemetry/metrics.ts";
import { BLACK_HOLE, INBOUND_PASSTHROUGH, PASSTHROUGH } from "./cluster-names.ts";
import type { CallFacts, CallIdentities } from "./recorder.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";

export interface LabelInputs {
  /** The sidecar's own. */
  readonly workload: WorkloadView["workload"];
  readonly flags: string;
  /** Of the further connection, once there was one. */
  readonly ends?: UpstreamEnds | undefined;
}

export function callLabels(call: CallFacts, { workload, flags, ends }: LabelInputs): CallLabels {
  const identities = identitiesOf(call, ends);
  const own = callParty(workload);
  const source = call.reporter === "source" ? own : {};
  const callee = call.reporter === "destination" ? own : {};
  const service = serviceOf(call, workload.namespace);
  return {
    reporter: call.reporter,
    source: withPrincipal(source, identities?.source.id),
    destination: withPrincipal(callee, identities?.destination),
    ...(service === undefined ? {} : { service }),
    responseFlags: flags,
  };
}

/** The caller's side learns who it speaks with from its own connection onwards. */
export function identitiesOf(
  call: CallFacts,
  ends: UpstreamEnds | undefined,
): CallIdentities | undefined {
  if (call.reporter === "destination" || ends?.mutualTls === undefined) return call.identities;
  return { source: ends.mutualTls.own, destination: ends.mutualTls.peer.id };
}

/** Clusters without a service give its label their own name, as Istio's do. */
const WITHOUT_SERVICE: ReadonlySet<string> = new Set([
  INBOUND_PASSTHROUGH,
  PASSTHROUGH,
  BLACK_HOLE,
]);

function serviceOf(
  { reporter, destination, cluster }: CallFacts,
  ownNamespace: string,
): CallLabels["service"] {
  if (destination !== undefined) {
    const { host, serviceName: name, serviceNamespace: namespace } = destination;
    return { host, name, namespace };
  }
  if (cluster === undefined || !WITHOUT_SERVICE.has(cluster)) return undefined;
  const namespace = reporter === "destination" ? ownNamespace : "unknown";
  return { host: "unknown", name: cluster, namespace };
}

function callParty({ owner, namespace, labels }: WorkloadView["workload"]): CallParty {
  const app = labels["app"] ?? labels["app.kubernetes.io/name"];
  const version = labels["version"] ?? labels["app.kubernetes.io/version"];
  return {
    workload: owner,
    namespace,
    ...(app === undefined ? {} : { app }),
    ...(version === undefined ? {} : { version }),
    canonicalService: labels["service.istio.io/canonical-name"] ?? app ?? owner,
    canonicalRevision: labels["service.istio.io/canonical-revision"] ?? version ?? "latest",
  };
}

function withPrincipal(party: CallParty, principal: SpiffeId | undefined): CallParty {
  return principal === undefined ? party : { ...party, principal };
}
