/** Keys to verify tokens with, for questions about a mesh: those in the rules, those that a mesh which runs has fetched, or given ones. */
import type { JwtRule } from "../../api/request-authentication.ts";
import type { KeySetFacts } from "../../control/key-sets/key-set-facts.ts";
import { askControlPlane } from "../../local/control-plane-client.ts";
import { DataDirectory } from "../../local/data-directory.ts";
import { appliedTokenRules } from "../../policy/applied-token-rules.ts";
import { effectiveRequestAuthentications } from "../../policy/effective-policy.ts";
import type { MeshSnapshot } from "../../policy/mesh-snapshot.ts";
import type { PolicySubject } from "../../policy/policy-selection.ts";
import { tokenKeySource, tokenKeySourceName } from "../../policy/token-key-source.ts";
import type { AppliedTokenRule } from "../../policy/workload-view.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { type GivenKeys, readGivenKeys } from "./given-keys.ts";

export interface TokenKeyOptions {
  /** Where the mesh keeps its state that is asked for keys it fetched. */
  readonly data: string;
  /** As `readGivenKeys` takes them: they come before those of a mesh that runs. */
  readonly jwks?: readonly string[];
}

/** Where the keys of one rule are from. */
export type TokenKeyOrigin =
  | { readonly from: "rule" }
  /** What the mesh that runs has of them. */
  | ({ readonly from: "mesh" } & KeySetFacts)
  | ({ readonly from: "file"; readonly source: string } & GivenKeys)
  /** They are fetched when the mesh runs; no mesh that does knows them. */
  | { readonly from: "nowhere"; readonly source: string };

/**
 * One for each rule that applies to the workload, in their order. A mesh that does not run knows none.
 *
 * @throws QuestionError when keys are given that cannot be read, or of which it is not clear whose they are
 */
export async function tokenKeysAtHand(
  snapshot: MeshSnapshot,
  subject: PolicySubject,
  options: TokenKeyOptions,
): Promise<readonly TokenKeyOrigin[]> {
  const rules = effectiveRequestAuthentications(snapshot, subject).map(({ rule }) => rule);
  const given = await readGivenKeys(options.jwks ?? [], {
    here: issuersToFetch(rules),
    anywhere: issuersToFetch(allRules(snapshot)),
  });
  const lacking = rules.filter(({ issuer }) => !given.has(issuer));
  const find = await ask([...new Set(lacking.flatMap((rule) => nameOf(rule) ?? []))], options);
  return rules.map((rule) => {
    const source = nameOf(rule);
    if (source === undefined) return { from: "rule" };
    const keys = given.get(rule.issuer);
    return keys === undefined ? find(source) : { from: "file", source, ...keys };
  });
}

/** The rules that apply to the workload, each with its own keys: two that name one source may have been given others. */
export function tokenRulesWithKeys(
  snapshot: MeshSnapshot,
  subject: PolicySubject,
  origins: readonly TokenKeyOrigin[],
): readonly AppliedTokenRule[] {
  return appliedTokenRules(snapshot, subject).map((rule, index) => {
    const origin = origins[index];
    const jwks = origin !== undefined && "jwks" in origin ? origin.jwks : undefined;
    return jwks === undefined ? rule : { ...rule, jwks };
  });
}

function allRules({ requestAuthentications }: MeshSnapshot): readonly JwtRule[] {
  return [...requestAuthentications.values()].flat().flatMap(({ rules }) => rules);
}

/** Each once, in order. */
function issuersToFetch(rules: readonly JwtRule[]): readonly string[] {
  const fetched = rules.filter((rule) => nameOf(rule) !== undefined);
  return [...new Set(fetched.map(({ issuer }) => issuer))].toSorted();
}

function nameOf(rule: JwtRule): string | undefined {
  const source = tokenKeySource(rule);
  return source && tokenKeySourceName(source);
}

type FindKeys = (source: string) => TokenKeyOrigin;

/** As many as the control plane answers at once. */
const MAX_ASKED = 64;

async function ask(wanted: readonly string[], { data }: TokenKeyOptions): Promise<FindKeys> {
  const known = new Map((await askedOf(data, wanted)).map((facts) => [facts.source, facts]));
  return (source) => {
    const facts = known.get(source);
    return facts === undefined ? { from: "nowhere", source } : { from: "mesh", ...facts };
  };
}

async function askedOf(data: string, wanted: readonly string[]): Promise<readonly KeySetFacts[]> {
  if (wanted.length === 0) return [];
  const sources = wanted.slice(0, MAX_ASKED);
  try {
    const reply = await askControlPlane(new DataDirectory(data), { type: "token-keys", sources });
    return reply.type === "token-keys" ? reply.sets : [];
  } catch (error) {
    if (error instanceof HauberkError) return [];
    throw error;
  }
}
