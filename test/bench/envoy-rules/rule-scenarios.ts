/** Whom 10,000 rules are about, and who calls: what is cheap for one form of them is dear for another. */
import type { EffectiveAuthorization } from "../../../src/policy/workload-view.ts";
import { decisionsBy, effective } from "../policy/hauberk-engine.ts";
import { Mix, type MixedRequest, type MixedRule } from "../policy/mixed-rules.ts";

export interface RuleScenario {
  readonly name: ScenarioName;
  readonly authorization: EffectiveAuthorization;
  /** `cluster.local/ns/team-1/sa/service-2` */
  readonly peers: readonly string[];
  /** By each of the peers in turn. */
  readonly allowed: readonly MixedRequest[];
  readonly refused: readonly MixedRequest[];
}

export const SCENARIO_NAMES = ["last", "mix", "owner"] as const;
export type ScenarioName = (typeof SCENARIO_NAMES)[number];
export const SCENARIO_WORDS: Readonly<Record<ScenarioName, string>> = {
  last: "the peer of the last rule",
  mix: "eight peers of the mix",
  owner: "one peer that all rules are about",
};

/** The only port of the callee. */
export const PORT = 8080;
const SEED = 23;
const CANDIDATES = 20_000;
const PEERS = 8;
/** Of each verdict, for each peer. */
const CALLS = 40;
const FRONTEND = "cluster.local/ns/production/sa/frontend";
/** What it may, nobody else is asked about. */
const OF_FRONTEND: MixedRule = {
  action: "ALLOW",
  principals: [FRONTEND],
  methods: ["GET"],
  paths: ["/api/*"],
};

export function ruleScenario(name: ScenarioName, count: number): RuleScenario {
  const mix = new Mix(SEED);
  const rules = mix.rules(count);
  const candidates = mix.requests(CANDIDATES, rules).flatMap(sendable);
  switch (name) {
    case "last":
      return scenario(name, withLast(rules), [FRONTEND], candidates);
    case "mix": {
      const peers = [...new Set(candidates.map(({ principal }) => principal))].slice(0, PEERS);
      return scenario(name, effective(rules), peers, candidates);
    }
    case "owner":
      return scenario(name, effective(rules.map(aboutFrontend)), [FRONTEND], candidates);
  }
}

/** Envoy asks policies in the order of their names. */
function withLast(rules: readonly MixedRule[]): EffectiveAuthorization {
  const policies = effective(rules);
  const last = effective([OF_FRONTEND]).allow.map((policy) => ({
    ...policy,
    ref: { ...policy.ref, name: "zz-last" },
  }));
  return { ...policies, allow: [...policies.allow, ...last] };
}

function aboutFrontend({ namespaces: _, notPrincipals: __, ...rule }: MixedRule): MixedRule {
  return { ...rule, principals: [FRONTEND] };
}

/** Of HEAD the load does not know where answers end. */
function sendable(request: MixedRequest): readonly MixedRequest[] {
  const { method, path } = request;
  if (method === "HEAD") return [];
  const whole = path.startsWith("/") ? path : `/${path}`;
  return [{ ...request, port: PORT, path: whole }];
}

/** @throws Error where too little of what can be asked is allowed, or refused */
function scenario(
  name: ScenarioName,
  authorization: EffectiveAuthorization,
  peers: readonly string[],
  candidates: readonly MixedRequest[],
): RuleScenario {
  const decide = decisionsBy(authorization);
  const byPeer = peers.map((principal) => {
    const own = candidates.map((request) => ({ ...request, principal }));
    const judged = own.map((request) => ({ request, verdict: decide(request)().verdict }));
    const of = (wanted: "allow" | "deny"): readonly MixedRequest[] =>
      judged
        .filter(({ verdict }) => verdict === wanted)
        .map(({ request }) => request)
        .slice(0, CALLS);
    return { allowed: of("allow"), refused: of("deny") };
  });
  if (byPeer.some(({ allowed, refused }) => allowed.length === 0 || refused.length === 0))
    throw new Error(`${name}: a peer is always allowed, or never`);
  return {
    name,
    authorization,
    peers,
    allowed: inTurn(byPeer.map(({ allowed }) => allowed)),
    refused: inTurn(byPeer.map(({ refused }) => refused)),
  };
}

/** The first of each list, then the second of each. */
function inTurn<T>(lists: readonly (readonly T[])[]): readonly T[] {
  const longest = Math.max(...lists.map(({ length }) => length));
  return Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  ).flat();
}
