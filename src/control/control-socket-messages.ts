/** What other commands ask of the control plane over its own Unix socket, and what they are told, one JSON value a line. */
import type { RotationStep } from "../ca/rotation.ts";
import type { GlobalCounter } from "../policy/global-limit-descriptor.ts";
import type { LimitLeft } from "../policy/rate-limits/limit-left.ts";
import type { WorkloadView } from "../policy/workload-view.ts";
import type { AuthorityFacts, AuthorityOverview } from "./authority-overview.ts";
import type { KeySetFacts } from "./key-sets/key-set-facts.ts";
import type { RemoteClustersOverview } from "./remote-cluster-state.ts";
import type { Blocker } from "./rotation-gate.ts";

/** Answered with itself, at once and by the socket alone: whether anybody runs behind it. */
export interface Hello {
  readonly type: "hello";
}
export const HELLO: Hello = { type: "hello" };

export function isHello(value: unknown): value is Hello {
  return typeof value === "object" && value !== null && "type" in value && value.type === "hello";
}

/** Each gets one reply, in order. */
export type ControlRequest =
  | { readonly type: "ca-status" }
  | AuthorityStepRequest
  /** In the text format of Prometheus. */
  | { readonly type: "metrics" }
  | { readonly type: "remote-clusters" }
  /** Which sidecars follow their views. */
  | { readonly type: "proxy-status" }
  /** What a sidecar is to have, by its pod's `namespace/name`. */
  | { readonly type: "view"; readonly pod: string }
  /** Of those that are named, as `tokenKeySourceName` does. */
  | { readonly type: "token-keys"; readonly sources: readonly string[] }
  /** Of global rate limits. */
  | { readonly type: "limits-left"; readonly counters: readonly GlobalCounter[] };

export interface AuthorityStepRequest {
  readonly type: "ca-step";
  readonly step: RotationStep;
  /** Take it although sidecars are not ready. */
  readonly force: boolean;
  /** Folder of the authority to prepare; absent: a self-signed one is made. */
  readonly from?: string;
}

export type ControlReply =
  | { readonly type: "ca-status"; readonly status: AuthorityOverview }
  | AuthorityStepReply
  | { readonly type: "metrics"; readonly text: string }
  | { readonly type: "remote-clusters"; readonly overview: RemoteClustersOverview }
  | { readonly type: "proxy-status"; readonly proxies: readonly ProxyStatus[] }
  /** Without what is secret; null: there is no such sidecar. */
  | { readonly type: "view"; readonly view: WorkloadView | null }
  | { readonly type: "token-keys"; readonly sets: readonly KeySetFacts[] }
  /** In the order of the counters; null: there is no such limit. */
  | { readonly type: "limits-left"; readonly left: readonly (LimitLeft | null)[] };

/** Of one subscription of one sidecar. */
export interface ProxyStatus {
  /** `namespace/pod` */
  readonly pod: string;
  /** Where the sidecar speaks from. */
  readonly address: string;
  /** Absent: it was sent nothing yet. */
  readonly versionSent?: string;
  readonly versionAcked?: string;
  /** What it said against the version sent. */
  readonly nackedError?: string;
  /** Of a pod with Envoy; absent: it has none, or it is not connected. */
  readonly envoy?: readonly EnvoyTypeStatus[];
}

/** What an Envoy has of one type of resources that it asked for. */
export interface EnvoyTypeStatus {
  /** As "authorization", "listeners". */
  readonly type: string;
  /** "awaited": it has not answered yet what it was sent. */
  readonly state: "synced" | "awaited" | "refused";
  readonly version: string;
  /** What Envoy said against it; exactly where it was refused. */
  readonly error?: string;
}

export type AuthorityStepReply =
  | {
      readonly type: "ca-taken";
      readonly authority: AuthorityFacts;
      /** What it broke, where it was forced. */
      readonly broke?: string;
      /** It was taken already, by whomever: nothing was left to do. */
      readonly was?: "before";
    }
  /** Sidecars are not ready; nothing has changed. */
  | {
      readonly type: "ca-blocked";
      readonly blockers: readonly Blocker[];
      /** What `force` would break. */
      readonly breakage: string;
    }
  | { readonly type: "refused"; readonly problem: string };

/** A longer line ends the conversation. */
export const MAX_CONTROL_REQUEST_CHARACTERS: number = 16 * 1024;
/** Those that ask for nothing in particular. */
const PLAIN = ["ca-status", "metrics", "remote-clusters", "proxy-status"] as const;
const MAX_PATH_CHARACTERS = 4_096;
/** A namespace, a slash, and a name. */
const MAX_POD_CHARACTERS = 63 + 1 + 253;
const POD = `pod: expected a text of at most ${MAX_POD_CHARACTERS} characters`;
const STEPS: readonly RotationStep[] = ["prepare", "activate", "taint", "revoke", "rollback"];

/** @returns what is wrong with it, in words, when it is no request */
export function parseControlRequest(value: unknown): ControlRequest | { readonly wrong: string } {
  if (typeof value !== "object" || value === null) return { wrong: "expected an object" };
  const { type, step, force, from, sources, counters, pod } = value as Readonly<
    Record<string, unknown>
  >;
  const plain = PLAIN.find((one) => one === type);
  if (plain !== undefined) return { type: plain };
  if (type === "token-keys") return parseSources(sources);
  if (type === "view") return isText(pod, MAX_POD_CHARACTERS) ? { type, pod } : { wrong: POD };
  if (type === "limits-left") return parseCounters(counters);
  if (type !== "ca-step")
    return {
      wrong:
        "type: expected ca-status, ca-step, metrics, remote-clusters, proxy-status, view, token-keys or limits-left",
    };
  const known = STEPS.find((one) => one === step);
  if (known === undefined) return { wrong: `step: expected ${STEPS.join(", ")}` };
  if (typeof force !== "boolean") return { wrong: "force: expected true or false" };
  if (from === undefined) return { type, step: known, force };
  if (typeof from !== "string" || !from.startsWith("/") || from.length > MAX_PATH_CHARACTERS)
    return {
      wrong: `from: expected an absolute path of at most ${MAX_PATH_CHARACTERS} characters`,
    };
  return { type, step: known, force, from };
}

/** Of one request there are few. */
export const MAX_COUNTERS = 32;
/** `namespace/resource/limit` */
const MAX_LIMIT_CHARACTERS = 512;
const MAX_HASH_CHARACTERS = 64;

function parseCounters(value: unknown): ControlRequest | { readonly wrong: string } {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const counters = list.flatMap((one) => counterIn(one) ?? []);
  if (Array.isArray(value) && counters.length === list.length && list.length <= MAX_COUNTERS)
    return { type: "limits-left", counters };
  return {
    wrong: `counters: expected a list of at most ${MAX_COUNTERS}, each with the texts limit, key and identity`,
  };
}

function counterIn(value: unknown): GlobalCounter | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { limit, key, identity } = value as Readonly<Record<string, unknown>>;
  if (!isText(limit, MAX_LIMIT_CHARACTERS)) return undefined;
  if (!isText(key, MAX_HASH_CHARACTERS) || !isText(identity, MAX_HASH_CHARACTERS)) return undefined;
  return { limit, key, identity };
}

function isText(value: unknown, most: number): value is string {
  return typeof value === "string" && value.length <= most;
}

/** Of one workload there are few. */
const MAX_SOURCES = 64;

function parseSources(value: unknown): ControlRequest | { readonly wrong: string } {
  const sources = Array.isArray(value) ? value : [];
  const texts = sources.filter((one): one is string => typeof one === "string");
  if (Array.isArray(value) && texts.length === sources.length && texts.length <= MAX_SOURCES)
    return { type: "token-keys", sources: texts };
  return { wrong: `sources: expected a list of at most ${MAX_SOURCES} texts` };
}
