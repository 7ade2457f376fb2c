/** Which PeerAuthentications and RequestAuthentications apply to a workload, a gateway or a waypoint (PA-2..PA-6, JWT-2). */
import { effectiveRequestAuthentications } from "../../../src/policy/effective-policy.ts";
import { type MeshSnapshot, ofScope } from "../../../src/policy/mesh-snapshot.ts";
import { applyingPeerAuthentications, namespaceMutualTls } from "../../../src/policy/mutual-tls.ts";
import type { PolicySubject } from "../../../src/policy/policy-selection.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import type { UpstreamObject } from "../upstream-objects.ts";
import { readPolicySet, snapshotOfSet } from "./policy-sets.ts";

interface UpstreamWorkload {
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly isWaypoint?: boolean;
  readonly service?: {
    readonly attributes: {
      readonly name: string;
      readonly namespace: string;
      readonly serviceRegistry?: string;
    };
  };
}

type SelectionCase = ConformanceCase & {
  readonly policySet: string;
  readonly workload: UpstreamWorkload;
  readonly setup?: { readonly pilotEnv?: Readonly<Record<string, string>> };
  readonly expectedPeerAuthentications?: readonly UpstreamObject[];
  readonly expectedRequestAuthentications?: readonly UpstreamObject[];
  readonly expectedNamespaceMode?: string;
};

/** The one flag of istiod that has a say here. */
const GATEWAY_SELECTORS = "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY";

export const selection: TableRunner = table<SelectionCase>({
  fields: [
    "policySet",
    "workload",
    "setup",
    "expectedPeerAuthentications",
    "expectedRequestAuthentications",
    "expectedNamespaceMode",
  ],
  run(test, folder) {
    const { setup, workload } = test;
    const { [GATEWAY_SELECTORS]: flag = "true", ...otherFlags } = setup?.pilotEnv ?? {};
    const unknown = [...Object.keys(otherFlags), ...Object.keys(setup ?? {})].filter(
      (name) => name !== "pilotEnv",
    );
    if (unknown.length > 0)
      return { outcome: "skipped", reason: `not understood: ${unknown.join(", ")}` };
    const set = readPolicySet(folder, test.policySet);
    const snapshot = snapshotOfSet(set, flag === "false" ? "ignored" : "honoured");
    const subject = subjectOf(workload);
    return compare({
      expected: expectationOf(test, set.rootNamespace),
      got: answer(test, snapshot, subject),
    });
  },
});

function subjectOf({
  namespace,
  labels = {},
  isWaypoint,
  service,
}: UpstreamWorkload): PolicySubject {
  if (isWaypoint !== true) return { namespace, labels };
  const services = service === undefined ? [] : [service.attributes];
  return {
    namespace,
    labels,
    waypoint: {
      services: services.map(({ name, namespace: home, serviceRegistry }) => ({
        kind: serviceRegistry === "External" ? ("ServiceEntry" as const) : ("Service" as const),
        namespace: home,
        name,
      })),
    },
  };
}

/**
 * Upstream lists a policy of the root namespace with a selector among those that apply, and then takes no notice of it
 * (PA-4); an unknown mode of a namespace is used as PERMISSIVE (PA-13).
 */
function expectationOf(test: SelectionCase, rootNamespace: string): string {
  const mode = test.expectedNamespaceMode;
  const peer = test.expectedPeerAuthentications?.filter(
    (policy) => !(policy.metadata?.["namespace"] === rootNamespace && selectsSome(policy)),
  );
  return told({
    peer: peer?.map(nameOf),
    request: test.expectedRequestAuthentications?.map(nameOf),
    mode: mode === "UNKNOWN" ? "PERMISSIVE" : mode,
  });
}

function selectsSome({ spec }: UpstreamObject): boolean {
  const { selector } = spec as { readonly selector?: { readonly matchLabels?: object } };
  return Object.keys(selector?.matchLabels ?? {}).length > 0;
}

function nameOf({ metadata }: UpstreamObject): string {
  return `${metadata?.["namespace"]}/${metadata?.["name"]}`;
}

function answer(test: SelectionCase, snapshot: MeshSnapshot, subject: PolicySubject): string {
  const { rootNamespace } = snapshot.settings;
  const scope = { rootNamespace, namespace: subject.namespace };
  const policies = ofScope(snapshot.peerAuthentications, scope);
  const peer = applyingPeerAuthentications(policies, { ...scope, labels: subject.labels });
  const request = effectiveRequestAuthentications(snapshot, subject);
  return told({
    peer:
      test.expectedPeerAuthentications && peer.map(({ meta }) => `${meta.namespace}/${meta.name}`),
    request:
      test.expectedRequestAuthentications &&
      request.map(({ ref }) => `${ref.namespace}/${ref.name}`),
    mode: test.expectedNamespaceMode && namespaceMutualTls(policies, scope).mode,
  });
}

/** PeerAuthentications in their order; of RequestAuthentications there is none among equals (JWT-3). */
function told({
  peer,
  request,
  mode,
}: {
  readonly peer: readonly string[] | undefined;
  readonly request: readonly string[] | undefined;
  readonly mode: string | undefined;
}): string {
  const parts = [peer, request && [...new Set(request)].sort(), mode === undefined ? mode : [mode]];
  return parts.map((names) => names?.join(", ") ?? "not asked").join("; ");
}
