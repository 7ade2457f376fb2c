/** From the snapshot to the view of one workload: effective policy, destinations and trust. */
import { effectiveProxyHeaders } from "../api/proxy-headers.ts";
import type { PortProtocol } from "../api/service.ts";
import { type SpiffeId, spiffeId } from "../identity/spiffe-id.ts";
import { appliedAuthorizers } from "./applied-authorizers.ts";
import { appliedRateLimits } from "./applied-rate-limits.ts";
import { appliedTokenRules } from "./applied-token-rules.ts";
import { buildGatewayView } from "./build-gateway-view.ts";
import { compileCalls } from "./calls-of-client.ts";
import { buildDestinations } from "./destinations.ts";
import { compileAuthorization, effectivePeerAuthentication } from "./effective-policy.ts";
import { effectiveTelemetry } from "./effective-telemetry.ts";
import { gatewaySettings } from "./gateway-topology.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { mutualTlsOfPort } from "./mutual-tls.ts";
import { compileNetworkPolicies } from "./network-policy-view.ts";
import type { MeshClient } from "./routes/mesh-routes.ts";
import { compileServiceEntries } from "./service-entry-destinations.ts";
import { targetContainerPort } from "./service-target.ts";
import type { Workload } from "./workload.ts";
import type {
  Destination,
  EffectiveAuthorization,
  Inbound,
  Interception,
  Trust,
  WorkloadView,
} from "./workload-view.ts";

/** The views of all workloads with a sidecar, by `namespace/pod`. */
export function buildWorkloadViews(snapshot: MeshSnapshot): ReadonlyMap<string, WorkloadView> {
  return viewsOf(snapshot, compileCallers(snapshot));
}

/** What the views of all have in common. */
export interface Callers {
  readonly destinationsFor: (workload: Workload) => readonly Destination[];
  readonly calls: ReturnType<typeof compileCalls>;
}

/** Depends on nothing of the snapshot that only says who may call: see `CALLEE_FIELDS`. */
export function compileCallers(snapshot: MeshSnapshot): Callers {
  const services = buildDestinations(snapshot);
  const withServiceEntries = compileServiceEntries(snapshot);
  return {
    destinationsFor: (workload) => withServiceEntries(services, workload),
    calls: compileCalls(snapshot),
  };
}

/** What is asked about those that are called, and never about those that call. */
export const CALLEE_FIELDS: ReadonlySet<keyof MeshSnapshot> = new Set([
  "authorizationPolicies",
  "requestAuthentications",
  "rateLimits",
  "telemetries",
  "tokenKeys",
  "rootsPem",
  "authorities",
]);

export function viewsOf(
  snapshot: MeshSnapshot,
  { destinationsFor, calls }: Callers,
): ReadonlyMap<string, WorkloadView> {
  const trust = trustOf(snapshot);
  const parts = { calls, trust, authorizationOf: compileAuthorization(snapshot), share: sharing() };
  const withNetworkPolicies = compileNetworkPolicies(snapshot);
  return new Map(
    snapshot.workloads
      .filter(({ injected }) => injected)
      .map((workload) => {
        const destinations = destinationsFor(workload);
        const view = composeView(snapshot, { workload, destinations, ...parts });
        return [`${workload.namespace}/${workload.name}`, withNetworkPolicies(workload, view)];
      }),
  );
}

/** All that one sidecar must know. */
export function buildWorkloadView(snapshot: MeshSnapshot, workload: Workload): WorkloadView {
  const { destinationsFor, calls } = compileCallers(snapshot);
  const view = composeView(snapshot, {
    workload,
    destinations: destinationsFor(workload),
    calls,
    trust: trustOf(snapshot),
    authorizationOf: compileAuthorization(snapshot),
    share: (part) => part,
  });
  return compileNetworkPolicies(snapshot)(workload, view);
}

function composeView(
  snapshot: MeshSnapshot,
  {
    workload,
    destinations,
    calls,
    trust,
    authorizationOf,
    share,
  }: MeshClient & {
    readonly calls: Callers["calls"];
    readonly trust: Trust;
    readonly authorizationOf: ReturnType<typeof compileAuthorization>;
    readonly share: ReturnType<typeof sharing>;
  },
): WorkloadView {
  const { namespace, name, owner, labels, serviceAccount, addresses } = workload;
  const telemetry = effectiveTelemetry(snapshot, workload);
  const gateway = workload.gateway && buildGatewayView(snapshot, { workload, destinations });
  const { proxyHeaders, gatewayTopology } = proxyHeadersOf(snapshot, workload);
  const { outbound, reached } = calls({ workload, destinations }, gateway);
  return {
    workload: {
      namespace,
      name,
      owner,
      labels,
      serviceAccount,
      identity: identityOf(workload, snapshot.settings.trustDomain),
    },
    trust,
    inbound: buildInbound(snapshot, {
      ...{ workload, destinations: reached, authorization: authorizationOf(workload) },
    }),
    outbound,
    ...(gateway && { gateway }),
    ...(addresses && { interception: share(buildInterception(snapshot, workload)) }),
    ...(telemetry && { telemetry: share(telemetry) }),
    ...(proxyHeaders && { proxyHeaders: share(proxyHeaders) }),
    ...(gatewayTopology && { gatewayTopology }),
  };
}

/** Small parts that are equal in the views of many are one object in all of them. */
function sharing(): <Part extends object>(part: Part) => Part {
  const known = new Map<string, object>();
  return <Part extends object>(part: Part): Part => {
    const text = JSON.stringify(part);
    const found = known.get(text) ?? part;
    known.set(text, found);
    return found as Part;
  };
}

/** Nothing where nobody has said anything of them. */
function proxyHeadersOf(
  { settings }: MeshSnapshot,
  { proxyHeaders: own, gateway, gatewayTopology }: Workload,
): Pick<WorkloadView, "proxyHeaders" | "gatewayTopology"> {
  const mesh = settings.proxyHeaders;
  if (gateway)
    return gatewaySettings({ mesh: settings, own: { proxyHeaders: own, gatewayTopology } });
  if (own === undefined && Object.keys(mesh).length === 0) return {};
  return { proxyHeaders: effectiveProxyHeaders(mesh, own) };
}

/** What is trusted in the whole mesh. */
export function trustOf({ settings, rootsPem, authorities }: MeshSnapshot): Trust {
  const { trustDomain, trustDomainAliases, minimumTlsVersion } = settings;
  return { trustDomain, trustDomainAliases, rootsPem, minimumTlsVersion, ...authorities };
}

/** The identity a workload proves (CA-17). */
export function identityOf(
  { namespace, serviceAccount }: Pick<Workload, "namespace" | "serviceAccount">,
  trustDomain: string,
): SpiffeId {
  return spiffeId({ trustDomain, namespace, serviceAccount });
}

function buildInbound(
  snapshot: MeshSnapshot,
  {
    workload,
    destinations,
    authorization,
  }: MeshClient & { readonly authorization: EffectiveAuthorization },
): Inbound {
  const peerAuthentication = effectivePeerAuthentication(snapshot, workload);
  const tokenRules = appliedTokenRules(snapshot, workload);
  const { extensionProviders: providers, rootNamespace } = snapshot.settings;
  const { serviceEntries } = snapshot;
  const sources = { providers, destinations, rootNamespace, serviceEntries };
  const authorizers = appliedAuthorizers(authorization, sources);
  const rateLimits = appliedRateLimits(snapshot, workload);
  return {
    // Of a gateway it is `gateway` that says where clients call (PA-21).
    ports: (workload.gateway ? [] : workload.ports).map(
      ({ containerPort, listen, application }) => ({
        containerPort,
        protocol: inboundProtocol(snapshot, workload, containerPort),
        mutualTls: mutualTlsOfPort(peerAuthentication, containerPort),
        listen,
        application,
      }),
    ),
    authorization,
    pathNormalization: snapshot.settings.pathNormalization,
    ...(authorizers.length > 0 && { authorizers }),
    ...(tokenRules.length > 0 && { tokenRules }),
    ...(rateLimits.length > 0 && { rateLimits }),
  };
}

/** Ports that nobody declared have the workload's mode, or one of their own (PA-17, PA-18). */
function buildInterception(snapshot: MeshSnapshot, workload: Workload): Interception {
  const { workload: mutualTls, ports } = effectivePeerAuthentication(snapshot, workload);
  const declared = new Set(workload.ports.map(({ containerPort }) => containerPort));
  return {
    undeclaredPorts: {
      mutualTls,
      ports: [...ports]
        .filter(([containerPort]) => !declared.has(containerPort))
        .map(([containerPort, own]) => ({ containerPort, mutualTls: own })),
    },
    unknownDestinations: snapshot.settings.outboundTrafficPolicy,
  };
}

/** What the services in front of a workload declare for one of its ports; where they differ, the first by name counts. */
function inboundProtocol(
  { servicesByNamespace }: MeshSnapshot,
  workload: Workload,
  containerPort: number,
): PortProtocol {
  for (const { service, workloads } of servicesByNamespace.get(workload.namespace) ?? []) {
    if (!workloads.includes(workload)) continue;
    const declared = service.ports.find(
      (port) => targetContainerPort(port, workload)?.containerPort === containerPort,
    );
    if (declared !== undefined) return declared.protocol;
  }
  return "auto";
}
