/** What other commands ask of the control plane over its own Unix socket, and what they are told, one JSON value a line. */
import type { RotationStep } from "../ca/rotation.ts";
import type { AuthorityFacts, AuthorityOverview } from "./authority-overview.ts";
import type { KeySetFacts } from "./key-sets/key-set-facts.ts";
import type { RemoteClustersOverview } from "./remote-cluster-state.ts";
import type { Blocker } from "./rotation-gate.ts";

/** Each gets one reply, in order. */
export type ControlRequest =
  | { readonly type: "ca-status" }
  | AuthorityStepRequest
  /** In the text format of Prometheus. */
  | { readonly type: "metrics" }
  | { readonly type: "remote-clusters" }
  /** Of those that are named, as `tokenKeySourceName` does. */
  | { readonly type: "token-keys"; readonly sources: readonly string[] };

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
  | { readonly type: "token-keys"; readonly sets: readonly KeySetFacts[] };

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
const MAX_PATH_CHARACTERS = 4_096;
const STEPS: readonly RotationStep[] = ["prepare", "activate", "taint", "revoke", "rollback"];

/** @returns what is wrong with it, in words, when it is no request */
export function parseControlRequest(value: unknown): ControlRequest | { readonly wrong: string } {
  if (typeof value !== "object" || value === null) return { wrong: "expected an object" };
  const { type, step, force, from, sources } = value as Readonly<Record<string, unknown>>;
  if (type === "ca-status" || type === "metrics" || type === "remote-clusters") return { type };
  if (type === "token-keys") return parseSources(sources);
  if (type !== "ca-step")
    return { wrong: "type: expected ca-status, ca-step, metrics, remote-clusters or token-keys" };
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

/** Of one workload there are few. */
const MAX_SOURCES = 64;

function parseSources(value: unknown): ControlRequest | { readonly wrong: string } {
  const sources = Array.isArray(value) ? value : [];
  const texts = sources.filter((one): one is string => typeof one === "string");
  if (Array.isArray(value) && texts.length === sources.length && texts.length <= MAX_SOURCES)
    return { type: "token-keys", sources: texts };
  return { wrong: `sources: expected a list of at most ${MAX_SOURCES} texts` };
}
