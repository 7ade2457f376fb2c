/** Which identities are accepted: as `principals` of a policy, and as peers of the mesh's trust domains. */
import { verifyTrustDomain } from "../../../src/identity/peer-certificate.ts";
import { parseSpiffeId, type SpiffeId } from "../../../src/identity/spiffe-id.ts";
import { connectionFrom } from "../../kit/mesh-parts.ts";
import { rulesMatchConnection, type WrittenRule } from "../policy-evaluation.ts";
import { type ConformanceCase, compare, type TableRunner } from "../suite-runner.ts";
import { table } from "../table-runner.ts";

type MatchCase = ConformanceCase & {
  readonly matcher: {
    readonly any?: boolean;
    readonly id?: string;
    readonly oneOf?: readonly string[];
    readonly memberOf?: string;
  };
  /** Empty: none at all. */
  readonly id: string;
  /** Null when it is accepted. */
  readonly error: string | null;
};

export const match: TableRunner = table<MatchCase>({
  fields: ["matcher", "id", "error"],
  exclusions: [
    {
      reason:
        "who proves no identity is a plaintext caller, and no value of principals means one (AP-45b)",
      applies: ({ matcher, id, error }) =>
        matcher.id === "" || matcher.oneOf?.includes("") === true || (id === "" && error === null),
    },
  ],
  run: ({ matcher, id, error }) =>
    compare({
      expected: error === null ? "accepted" : "refused",
      got: accepts(matcher, id) ? "accepted" : "refused",
    }),
});

function accepts({ any, id, oneOf, memberOf }: MatchCase["matcher"], peer: string): boolean {
  if (memberOf !== undefined) return peer !== "" && isMember(parseSpiffeId(peer), memberOf);
  const rules = any ? [principals(["*"])] : rulesOf(oneOf ?? [String(id)]);
  return rulesMatchConnection(rules, connectionFrom(peer === "" ? "plaintext" : peer));
}

/** A list of no identities is a policy of no rules: an empty `principals` cannot be written. */
function rulesOf(ids: readonly string[]): readonly WrittenRule[] {
  const values = ids.map((each) => parseSpiffeId(each).slice("spiffe://".length));
  return values.length === 0 ? [] : [principals(values)];
}

function principals(values: readonly string[]): WrittenRule {
  return { from: [{ source: { principals: values } }] };
}

function isMember(peer: SpiffeId, trustDomain: string): boolean {
  try {
    verifyTrustDomain(peer, { trustDomain, trustDomainAliases: [] });
    return true;
  } catch {
    return false;
  }
}
