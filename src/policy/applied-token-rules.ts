/** What RequestAuthentications demand of the requests to one workload, with the keys that are at hand (JWT-1..JWT-9). */
import { type JwtRule, STANDARD_LOCATIONS } from "../api/request-authentication.ts";
import { type AppliedJwtRule, effectiveRequestAuthentications } from "./effective-policy.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import type { PolicySubject } from "./policy-selection.ts";
import { tokenKeySource, tokenKeySourceName } from "./token-key-source.ts";
import type { AppliedTokenRule } from "./workload-view.ts";

export function appliedTokenRules(
  snapshot: MeshSnapshot,
  subject: PolicySubject,
): readonly AppliedTokenRule[] {
  return effectiveRequestAuthentications(snapshot, subject).map((applied) =>
    appliedTokenRule(snapshot, applied),
  );
}

function appliedTokenRule(
  { tokenKeys }: MeshSnapshot,
  { ref, source, rule }: AppliedJwtRule,
): AppliedTokenRule {
  const { issuer, audiences, locations, presence, outputPayloadToHeader } = rule;
  const jwks = keysOf(rule, tokenKeys);
  return {
    ref,
    source,
    issuer,
    audiences,
    ...(jwks !== undefined && { jwks }),
    locations: locations === "standard" ? STANDARD_LOCATIONS : locations,
    presence,
    afterwards: rule.forwardOriginalToken ? "forwarded" : "removed",
    ...(outputPayloadToHeader !== undefined && { outputPayloadToHeader }),
    outputClaimToHeaders: rule.outputClaimToHeaders,
    spaceDelimitedClaims: rule.spaceDelimitedClaims,
  };
}

function keysOf(rule: JwtRule, tokenKeys: MeshSnapshot["tokenKeys"]): string | undefined {
  if (rule.keys.from === "inline") return rule.keys.jwks;
  const source = tokenKeySource(rule);
  return source && tokenKeys?.get(tokenKeySourceName(source));
}
