/**
 * Judges requests and connections by the policies of one workload: CUSTOM, then DENY, then ALLOW, with what AUDIT and
 * policies on trial have to say beside it (AP-1, AP-9, AP-110..AP-113). Pure.
 */
import type { TrafficProtocol } from "./authorization-rule.ts";
import type { Decision, Delegation } from "./decision.ts";
import { orderedRules, rulesInSteps } from "./engine/ordered-rules.ts";
import { type BoundRules, PeerRules } from "./engine/peer-rules.ts";
import {
  type BoundPolicySet,
  bindPolicySet,
  bytesOf,
  compilePolicySet,
  delegate,
  delegationsOf,
  judge,
  judgeLocally,
  type PolicySet,
} from "./engine/policy-set.ts";
import type { Connection, HttpRequest } from "./traffic.ts";
import type { Traffic } from "./traffic-attribute.ts";
import type { AppliedPolicy, EffectiveAuthorization, Trust } from "./workload-view.ts";

/** Compiled once for each change of policy; asked for every request. What it learns of peers goes when it goes. */
export interface CompiledAuthorization {
  readonly protocol: TrafficProtocol;
  readonly enforced: PolicySet;
  /** The enforced policies and those on trial, together; absent where none is on trial. */
  readonly trial?: PolicySet;
  readonly audit: PeerRules;
  /** Forgets the longest known when they become too many: they are bound again as they call. */
  readonly peers: BoundPeers;
}

/** What one peer can match: proxies hold it for each connection, until the policies change. */
export interface PeerAuthorization {
  readonly enforced: BoundPolicySet;
  readonly trial?: BoundPolicySet;
  readonly audit: { readonly rules: PeerRules; readonly bound: BoundRules };
}

interface BoundPeers {
  /** By principal; plaintext is a peer too. */
  readonly byPrincipal: Map<string, PeerAuthorization>;
  bytes: number;
}

const MAX_PEERS = 10_000;
const MAX_PEERS_BYTES = 32 * 1024 * 1024;
const PLAINTEXT = "";

/** @param options.protocol how the port's bytes are read: on "tcp" nothing that is HTTP can be asked (AP-60..AP-62) */
export function compileAuthorization(
  { custom, audit, deny, allow }: EffectiveAuthorization,
  options: { readonly protocol: TrafficProtocol; readonly trust: Trust },
): CompiledAuthorization {
  const enforced = { custom: inForce(custom), deny: inForce(deny), allow: inForce(allow) };
  const onTrial = [...custom, ...deny, ...allow].some(({ dryRun }) => dryRun);
  return {
    protocol: options.protocol,
    enforced: compilePolicySet(enforced, options),
    ...(onTrial && { trial: compilePolicySet({ custom, deny, allow }, options) }),
    audit: new PeerRules(orderedRules(inForce(audit), { ...options, action: "AUDIT" })),
    peers: { byPrincipal: new Map(), bytes: 0 },
  };
}

/** What takes longest of it, beforehand, policy by policy: done to the end, compiling them makes the index alone. */
export function* compileInSteps(
  { custom, audit, deny, allow }: EffectiveAuthorization,
  options: { readonly protocol: TrafficProtocol; readonly trust: Trust },
): Generator<undefined> {
  yield* rulesInSteps(deny, { ...options, action: "DENY" });
  yield* rulesInSteps(allow, { ...options, action: "ALLOW" });
  yield* rulesInSteps(custom, { ...options, action: "CUSTOM" });
  yield* rulesInSteps(audit, { ...options, action: "AUDIT" });
}

/** Judges one request on a port that carries HTTP. */
export function authorizeRequest(compiled: CompiledAuthorization, request: HttpRequest): Decision {
  return authorizeBound(bindConnection(compiled, request.connection), request);
}

/**
 * Judges one connection on a port that is carried as TCP.
 *
 * @throws RangeError when compiled for HTTP: its DENY rules would ask for what a connection never carries
 */
export function authorizeConnection(
  compiled: CompiledAuthorization,
  connection: Connection,
): Decision {
  if (compiled.protocol !== "tcp") {
    throw new RangeError("a connection needs an authorization compiled for tcp");
  }
  const traffic = { connection, remoteAddress: connection.sourceAddress };
  return authorizeBound(bindConnection(compiled, connection), traffic);
}

/** All that does not change from request to request of one peer. The first connection of a peer costs more. */
export function bindConnection(
  compiled: CompiledAuthorization,
  connection: Connection,
): PeerAuthorization {
  const { peers } = compiled;
  const peer = connection.principal ?? PLAINTEXT;
  const known = peers.byPrincipal.get(peer);
  if (known !== undefined) return known;
  const bound = bindPeer(compiled, connection);
  peers.byPrincipal.set(peer, bound);
  peers.bytes += bytesOfPeer(bound);
  forgetOldest(peers);
  return bound;
}

/** The map gives them in the order in which they were bound. */
function forgetOldest(peers: BoundPeers): void {
  for (const [principal, bound] of peers.byPrincipal) {
    if (peers.byPrincipal.size <= MAX_PEERS && peers.bytes <= MAX_PEERS_BYTES) return;
    peers.byPrincipal.delete(principal);
    peers.bytes -= bytesOfPeer(bound);
  }
}

function bytesOfPeer({ enforced, trial, audit }: PeerAuthorization): number {
  return audit.bound.bytes + bytesOf(enforced) + (trial === undefined ? 0 : bytesOf(trial));
}

/** Judges one request of a bound connection completely. */
export function authorizeBound(bound: PeerAuthorization, traffic: Traffic): Decision {
  const delegations = findDelegations(bound, traffic);
  const local = authorizeLocally(bound, traffic);
  return delegations.length === 0 ? local : { ...local, ...delegate(delegations, local) };
}

/**
 * The first stage: the authorizers to ask, before any token is verified (AP-3). All must allow (AP-122).
 *
 * @returns in the order of their names; empty for most traffic
 */
export function findDelegations(
  { enforced }: PeerAuthorization,
  traffic: Traffic,
): readonly Delegation[] {
  return delegationsOf(enforced, traffic);
}

/** The second stage, after authorizers and tokens: what the policies here say. Never "delegate" (AP-126). */
export function authorizeLocally(
  { enforced, trial, audit }: PeerAuthorization,
  traffic: Traffic,
): Decision {
  const judged = judgeLocally(enforced, traffic);
  const audited = audit.rules.ruleAt(audit.bound.firstMatch(traffic))?.ref;
  if (audited === undefined && trial === undefined) return judged;
  return {
    ...judged,
    ...(trial !== undefined && { dryRun: judge(trial, traffic) }),
    ...(audited !== undefined && { audited }),
  };
}

function bindPeer(
  { enforced, trial, audit }: CompiledAuthorization,
  connection: Connection,
): PeerAuthorization {
  return {
    enforced: bindPolicySet(enforced, connection),
    ...(trial !== undefined && { trial: bindPolicySet(trial, connection) }),
    audit: { rules: audit, bound: audit.bind(connection) },
  };
}

function inForce(policies: readonly AppliedPolicy[]): readonly AppliedPolicy[] {
  return policies.filter(({ dryRun }) => !dryRun);
}
