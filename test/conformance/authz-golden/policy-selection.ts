/** Which AuthorizationPolicies are for a workload, a gateway or a waypoint (AP-10..AP-18). */
import { effectiveAuthorization } from "../../../src/policy/effective-policy.ts";
import type { GatewaySelectors, PolicySubject } from "../../../src/policy/policy-selection.ts";
import type { EffectiveAuthorization } from "../../../src/policy/workload-view.ts";
import { snapshotOfPolicies } from "../policy-evaluation.ts";
import {
  type CaseOutcome,
  type ConformanceCase,
  compare,
  type TableRunner,
} from "../suite-runner.ts";
import { table } from "../table-runner.ts";
import type { UpstreamObject } from "../upstream-objects.ts";
import { completedPolicy, type WrittenSpec } from "./completed-policy.ts";

/** Upstream's mesh, where a case names no root namespace. */
const ROOT_NAMESPACE = "istio-config";
/** Where upstream's single policies are, when a case does not say. */
const POLICY_NAMESPACE = "default";

interface Selection {
  readonly workloadNamespace: string;
  readonly workloadLabels?: Readonly<Record<string, string>>;
  readonly isWaypoint?: boolean;
  readonly rootNamespace?: string;
  readonly services?: readonly UpstreamService[];
}

interface UpstreamService {
  readonly name: string;
  readonly namespace: string;
  readonly registry: "Kubernetes" | "External";
}

type Wanted = readonly { readonly name: string; readonly namespace: string }[] | null;

/** A set of policies and those of it that apply, or one policy and whether it applies. */
type SelectionCase = ConformanceCase & {
  readonly configs?: readonly (UpstreamObject & { readonly spec: WrittenSpec })[];
  readonly selectionOpts?: Selection;
  readonly wantAllow?: Wanted;
  readonly wantDeny?: Wanted;
  readonly wantAudit?: Wanted;
  readonly wantCustom?: Wanted;
  readonly policy?: WrittenSpec;
  readonly policyNamespace?: string;
  /** As Go's `NamespacedName` is written. */
  readonly policyNamespacedName?: {
    readonly namespace?: string;
    readonly Namespace?: string;
    readonly name?: string;
    readonly Name?: string;
  };
  readonly selection?: Selection;
  readonly enableSelectorPolicies?: boolean;
  readonly expected?: boolean;
};

export const policySelection: TableRunner = table<SelectionCase>({
  fields: [
    "configs",
    "selectionOpts",
    "wantAllow",
    "wantDeny",
    "wantAudit",
    "wantCustom",
    "policy",
    "policyNamespace",
    "policyNamespacedName",
    "selection",
    "enableSelectorPolicies",
    "expected",
  ],
  exclusions: [
    {
      reason: "a policy with both a selector and targets is refused before it can select (AP-13)",
      applies: ({ configs = [], policy = {} }) =>
        [policy, ...configs.map(({ spec }) => spec)].some(hasBoth),
    },
  ],
  run: (test) => (test.policy === undefined ? runSet(test) : runOne(test, test.policy)),
});

function hasBoth({ selector, targetRef, targetRefs }: WrittenSpec): boolean {
  return selector !== undefined && (targetRef ?? targetRefs) !== undefined;
}

/** The order among policies has no effect, and is not compared (AP-8, AP-35). */
function runSet(test: SelectionCase): CaseOutcome {
  const { configs = [], selectionOpts, wantAllow, wantDeny, wantAudit, wantCustom } = test;
  const got = select(configs, { selection: selectionOpts });
  const wanted = { custom: wantCustom, audit: wantAudit, deny: wantDeny, allow: wantAllow };
  const actions = ["custom", "audit", "deny", "allow"] as const;
  const told = (names: (action: (typeof actions)[number]) => readonly string[]): string =>
    actions.map((action) => `${action}: ${[...names(action)].sort().join(", ")}`).join("; ");
  return compare({
    expected: told((action) =>
      (wanted[action] ?? []).map(({ namespace, name }) => `${namespace}/${name}`),
    ),
    got: told((action) => got[action].map(({ ref }) => `${ref.namespace}/${ref.name}`)),
  });
}

/** Upstream's table leaves the flag out where it is off, as Go does. */
function runOne(test: SelectionCase, spec: WrittenSpec): CaseOutcome {
  const { selection, expected, enableSelectorPolicies = false, policyNamespacedName: own } = test;
  const { policyNamespace: namespace = own?.namespace ?? own?.Namespace ?? POLICY_NAMESPACE } =
    test;
  const got = select([{ metadata: { name: "the-policy", namespace }, spec }], {
    selection,
    gatewaySelectors: enableSelectorPolicies ? "honoured" : "ignored",
  });
  return compare({
    expected: expected ? "applies" : "does not apply",
    got: got.allow.length > 0 ? "applies" : "does not apply",
  });
}

function select(
  policies: readonly (UpstreamObject & { readonly spec: WrittenSpec })[],
  {
    selection = { workloadNamespace: "default" },
    gatewaySelectors = "honoured",
  }: {
    readonly selection: Selection | undefined;
    readonly gatewaySelectors?: GatewaySelectors;
  },
): EffectiveAuthorization {
  const snapshot = snapshotOfPolicies({
    policies: policies.map(completedPolicy),
    meshConfig: { rootNamespace: selection.rootNamespace ?? ROOT_NAMESPACE },
    gatewaySelectors,
  });
  return effectiveAuthorization(snapshot, subjectOf(selection));
}

function subjectOf(selection: Selection): PolicySubject {
  const { workloadNamespace, workloadLabels = {}, isWaypoint = false, services = [] } = selection;
  return {
    namespace: workloadNamespace,
    labels: workloadLabels,
    ...(isWaypoint && {
      waypoint: {
        services: services.map(({ name, namespace, registry }) => ({
          kind: registry === "External" ? ("ServiceEntry" as const) : ("Service" as const),
          namespace,
          name,
        })),
      },
    }),
  };
}
