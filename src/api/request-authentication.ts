/**
 * RequestAuthentication: the tokens of end users that a workload knows how to verify (JWT-1..JWT-10).
 * Source: https://istio.io/latest/docs/reference/config/security/request_authentication/
 */
import type { TargetRef } from "./authorization-policy.ts";
import type { Fields } from "./decoder.ts";
import { workloadSelector } from "./label-selector.ts";
import type { Labels, ResourceMeta } from "./resource.ts";
import { targetRefs } from "./target-refs.ts";

export interface RequestAuthentication {
  readonly kind: "RequestAuthentication";
  readonly meta: ResourceMeta;
  readonly selector: Labels;
  /** A resource with targetRefs never applies to a sidecar (JWT-2). */
  readonly targetRefs: readonly TargetRef[];
  readonly rules: readonly JwtRule[];
}

/** One issuer, and where its tokens are found. */
export interface JwtRule {
  /** Line in the file, from 1. */
  readonly line: number;
  /** "" accepts any issuer (JWT-17). */
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Claims that are lists in one text, besides `scope` and `permission` (JWT-65). */
  readonly spaceDelimitedClaims: readonly string[];
}

export function requestAuthentication(meta: ResourceMeta, root: Fields): RequestAuthentication {
  const spec = root.section("spec");
  return {
    kind: "RequestAuthentication",
    meta,
    selector: workloadSelector(spec),
    targetRefs: targetRefs(spec),
    rules: spec.list("jwtRules").map((rule) => ({
      line: rule.line,
      issuer: rule.text("issuer") ?? "",
      audiences: rule.texts("audiences"),
      spaceDelimitedClaims: rule.texts("spaceDelimitedClaims"),
    })),
  };
}
