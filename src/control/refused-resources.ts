/**
 * Which of the resources that people wrote are not in force everywhere, because proxies refused what was made of them. A proxy
 * names what it refuses in its own words at best, so that all are told that go into it and concern the proxy, and its pod. Pure.
 */
import type { ResourceRef } from "../api/resource.ts";
import { remembered } from "../envoy/remembered.ts";
import type { Outbound, WorkloadView } from "../policy/workload-view.ts";

/** What one proxy refused. */
export interface ProxyRefusal {
  /** `namespace/pod` */
  readonly pod: string;
  /** As "authorization", "listeners"; "view" of our own sidecar. */
  readonly what: string;
  /** In the proxy's words. */
  readonly error: string;
}

/** For people, of one resource. */
export interface RefusedResource {
  readonly ref: ResourceRef;
  readonly message: string;
}

/** However many proxies refuse however much. */
const MAX_RESOURCES = 256;
const MAX_PODS = 64;
const MAX_NAMED_PODS = 5;
const MAX_ERROR_CHARACTERS = 512;

/** In the order of their names. @param viewOf of a pod; undefined: it is gone */
export function refusedResources(
  refusals: readonly ProxyRefusal[],
  viewOf: (pod: string) => WorkloadView | undefined,
): readonly RefusedResource[] {
  const told = new Map<string, { readonly ref: ResourceRef; readonly by: Map<string, Told> }>();
  const tell = (ref: ResourceRef, { pod, what, error }: ProxyRefusal, most: number): void => {
    const key = `${ref.kind}/${ref.namespace}/${ref.name}`;
    const known = told.get(key) ?? { ref, by: new Map<string, Told>() };
    if (!told.has(key) && told.size >= most) return;
    told.set(key, known);
    const same = known.by.get(what) ?? { what, error, pods: [] };
    known.by.set(what, same);
    same.pods.push(pod);
  };
  const concerning = refusals.map((refusal) => ({ refusal, view: viewOf(refusal.pod) }));
  for (const { refusal, view } of concerning)
    for (const ref of view === undefined ? [] : concerned(view, refusal.what, refusal.error))
      tell(ref, refusal, MAX_RESOURCES);
  const most = told.size + MAX_PODS;
  for (const { refusal, view } of concerning)
    if (view !== undefined) tell(podRef(refusal.pod), refusal, most);
  return [...told]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([, { ref, by }]) => ({ ref, message: [...by.values()].map(inWords).join("; ") }));
}

/** Whatever nobody wrote as a resource of its own, such as the mesh configuration, shows at the pod. */
function podRef(pod: string): ResourceRef {
  const [namespace = "", name = ""] = pod.split("/");
  return { kind: "Pod", namespace, name };
}

interface Told {
  readonly what: string;
  /** Of the first. */
  readonly error: string;
  readonly pods: string[];
}

function inWords({ what, error, pods }: Told): string {
  const inOneLine = error.trim().replace(/\s*\n\s*/g, "; ");
  const named = pods.toSorted().slice(0, MAX_NAMED_PODS).join(", ");
  const others = pods.length > MAX_NAMED_PODS ? ` and ${pods.length - MAX_NAMED_PODS} more` : "";
  const of = what === "view" ? "what they are sent" : `their ${what}`;
  return `not in force in all proxies: those of ${named}${others} refuse ${of}: ${inOneLine.slice(0, MAX_ERROR_CHARACTERS)}`;
}

/** What each type of resources that proxies are served is made of, beside what nobody wrote. */
interface Making {
  /** As views share them: what is in each is looked for once. */
  readonly parts: (view: WorkloadView) => readonly unknown[];
  readonly kinds: ReadonlySet<string>;
}

const callees = ({ outbound: { destinations, subsets } }: WorkloadView): readonly unknown[] => [
  destinations,
  subsets,
];
const routesIn = ({ virtualHosts, streamRoutes }: Outbound): readonly unknown[] => [
  virtualHosts,
  streamRoutes,
];
const CALLEE_KINDS: ReadonlySet<string> = new Set(["DestinationRule", "ServiceEntry"]);

const MAKINGS: Readonly<Record<string, Making>> = {
  authorization: {
    parts: ({ inbound: { authorization } }) => [authorization],
    kinds: new Set(["AuthorizationPolicy"]),
  },
  listeners: {
    parts: ({ inbound: { authorization, ports, tokenRules, rateLimits }, gateway }) => [
      authorization.custom,
      ports,
      tokenRules,
      rateLimits,
      gateway,
    ],
    kinds: new Set([
      "AuthorizationPolicy",
      "Gateway",
      "PeerAuthentication",
      "RateLimit",
      "RequestAuthentication",
    ]),
  },
  clusters: { parts: callees, kinds: CALLEE_KINDS },
  endpoints: { parts: callees, kinds: CALLEE_KINDS },
  routes: {
    parts: ({ outbound, gateway }) => [...routesIn(outbound), gateway],
    kinds: new Set(["VirtualService", "HTTPRoute", "GRPCRoute"]),
  },
};

/** What our own sidecar refuses is its view, which is all of them. */
const WHOLE: Making = {
  parts: (view) => {
    const { inbound, outbound, ...others } = view;
    return [
      ...Object.values(inbound),
      ...callees(view),
      ...routesIn(outbound),
      ...Object.values(others),
    ];
  },
  kinds: new Set([
    "AuthorizationPolicy",
    "DestinationRule",
    "Gateway",
    "GRPCRoute",
    "HTTPRoute",
    "PeerAuthentication",
    "RateLimit",
    "RequestAuthentication",
    "ServiceEntry",
    "VirtualService",
  ]),
};

/** Those that the proxy itself names are all, where it names any. */
function concerned(view: WorkloadView, what: string, error: string): readonly ResourceRef[] {
  const { parts, kinds } = MAKINGS[what] ?? WHOLE;
  const all = new Map<string, ResourceRef>();
  for (const part of parts(view)) {
    if (typeof part !== "object" || part === null) continue;
    for (const [key, ref] of refsIn(part, kinds)) if (all.size < MAX_RESOURCES) all.set(key, ref);
  }
  const refs = [...all.values()];
  if (!error.includes("]-policy[")) return refs;
  const named = refs.filter(({ namespace, name }) =>
    error.includes(`ns[${namespace}]-policy[${name}]`),
  );
  return named.length > 0 ? named : refs;
}

/** By their names: of a part that a thousand views share, found once. */
const refsIn: (part: object, kinds: ReadonlySet<string>) => ReadonlyMap<string, ResourceRef> =
  remembered((part, kinds) => {
    const found = new Map<string, ResourceRef>();
    collect(part, { kinds, found });
    return found;
  });

interface Collecting {
  readonly kinds: ReadonlySet<string>;
  readonly found: Map<string, ResourceRef>;
}

/** Views are plain data, and tell at each of their parts by which resource it is there. */
function collect(value: unknown, to: Collecting): void {
  if (typeof value !== "object" || value === null || to.found.size >= MAX_RESOURCES) return;
  const { kind, namespace, name } = value as Readonly<Record<string, unknown>>;
  if (typeof kind === "string" && typeof namespace === "string" && typeof name === "string") {
    if (to.kinds.has(kind)) to.found.set(`${kind}/${namespace}/${name}`, { kind, namespace, name });
    return;
  }
  for (const inner of Object.values(value)) collect(inner, to);
}
