/** The judgement on one request or connection: a verdict, and exactly one reason that explains it. */
import type { PeerAuthenticationMode } from "../api/peer-authentication.ts";
import type { ResourceRef, SourceLocation } from "../api/resource.ts";
import type { LimitOutcome } from "./rate-limits/limit-outcome.ts";

/** "delegate": a CUSTOM rule matched, and external authorizers are to be asked before anything else counts (AP-1, AP-2). */
export type Verdict = "allow" | "deny" | "delegate";

export interface Decision extends Judged {
  /**
   * What would be decided if the policies on trial (`istio.io/dry-run`) were in force beside the enforced ones; present
   * where such a policy applies to the workload (AP-110..AP-113).
   */
  readonly dryRun?: Judged;
  /** The first AUDIT rule that matched; it never changes the verdict (AP-9). */
  readonly audited?: RuleRef;
  /** Rate limits on trial (`mode: Shadow`) that had no room for the traffic; absent: none. */
  readonly shadowLimits?: readonly LimitOutcome[];
  /** Rate limits of the whole mesh by which it was not counted: nobody could be asked, or knew of the limit; absent: none. */
  readonly uncounted?: readonly string[];
  /** What external authorizers said of the traffic, in the order in which they were asked; absent: none was. */
  readonly asked?: readonly AuthorizerAnswer[];
}

/** What one external authorizer said of one request or connection. */
export interface AuthorizerAnswer {
  readonly provider: string;
  /**
   * "failed": it could not be asked, or gave no answer that can be used (EA-26); "passed unasked": the same, and it is
   * defined with `failOpen`.
   */
  readonly outcome: "allowed" | "denied" | "failed" | "passed unasked";
  /** From the question to the answer. */
  readonly milliseconds: number;
  /** Of HTTP, as the caller was told; of a denial or a failure. */
  readonly status?: number;
  /** Why there is no answer. */
  readonly problem?: string;
  /** Asked for a policy on trial: the answer changed nothing. */
  readonly dryRun?: true;
  /** `dynamic_metadata` that came with the answer, as JSON. */
  readonly metadata?: string;
}

/** A verdict and what explains it. */
export interface Judged {
  readonly verdict: Verdict;
  readonly reason: Reason;
}

/** One external authorizer that has to be asked, and the first CUSTOM rule of it that matched. */
export interface Delegation {
  /** As in `extensionProviders[].name` of the mesh configuration. */
  readonly provider: string;
  readonly matched: RuleRef;
}

/** One rule of one policy; `rule` is its index in the policy's `rules`, from 0 (AP-34). */
export interface RuleRef {
  readonly policy: ResourceRef;
  readonly rule: number;
  readonly source: SourceLocation;
}

/** A resource and where it was written. */
export interface ResourceOrigin {
  readonly ref: ResourceRef;
  readonly source: SourceLocation;
}

/** What set a value; "default" when no resource says anything. */
export type Origin = ResourceOrigin | "default";

/** Why traffic was let through or not. Plain data: it travels into logs and back. */
export type Reason =
  /**
   * CUSTOM rules matched: the authorizers are asked in this order, by name, and all must allow (AP-120..AP-126).
   * `afterwards` is what the policies here say once they have, of the traffic as it was judged.
   */
  | {
      readonly because: "matched-custom";
      readonly delegations: readonly Delegation[];
      readonly afterwards: Judged;
    }
  /** A CUSTOM rule matched, and its authorizer cannot be asked: what it guards is refused, and nothing else (AP-120). */
  | {
      readonly because: "no-authorizer";
      readonly provider: string;
      readonly matched: RuleRef;
      readonly problem: string;
    }
  /** An external authorizer was asked, and said no (EA-27). `status` is what it wants the caller told; absent on TCP. */
  | {
      readonly because: "authorizer-denied";
      readonly provider: string;
      readonly matched: RuleRef;
      readonly status?: number;
    }
  /** An external authorizer could not be asked, or gave no answer that can be used (EA-26). */
  | {
      readonly because: "authorizer-failed";
      readonly provider: string;
      readonly matched: RuleRef;
      readonly problem: string;
    }
  /**
   * A token of the request is not good, or one that is required is missing: told in the words of the answer (JWT-40..JWT-53).
   * No AuthorizationPolicy was asked. `rules` are those of all RequestAuthentications that apply.
   */
  | {
      readonly because: "token-refused";
      readonly problem: string;
      readonly rules: readonly TokenRuleOutcome[];
    }
  /** A rate limit has no room for it: nothing else had anything against it. */
  | ({ readonly because: "rate-limited" } & LimitOutcome)
  /** A rule of an ALLOW policy matched. */
  | { readonly because: "matched-allow"; readonly matched: RuleRef }
  /** No ALLOW policy applies to the workload, and no DENY rule matched (AP-1). */
  | { readonly because: "no-allow-policy" }
  /** A rule of a DENY policy matched. */
  | { readonly because: "matched-deny"; readonly matched: RuleRef }
  /** ALLOW policies apply, none of their rules matched; `nearest` holds at most three, best first. */
  | {
      readonly because: "no-allow-matched";
      readonly considered: readonly ResourceRef[];
      readonly nearest: readonly NearestMiss[];
    }
  /**
   * Plaintext on a port that demands mutual TLS (PA-37). `chosenBy` is the DestinationRule for which the caller's
   * sidecar spoke plaintext; the callee's sidecar can't know it.
   */
  | {
      readonly because: "plaintext-refused";
      readonly origin: Origin;
      readonly chosenBy?: ResourceOrigin;
    }
  /** TLS on a port where mutual TLS is disabled (PA-36); `chosenBy` as above. */
  | {
      readonly because: "tls-refused";
      readonly origin: Origin;
      readonly chosenBy?: ResourceOrigin;
    }
  /** TLS, but no certificate, or one that does not chain to the mesh's roots or names a foreign trust domain. */
  | { readonly because: "peer-not-verified"; readonly problem: string }
  /**
   * The caller's sidecar insists on mutual TLS, and the callee can't prove any identity that is accepted of it: the
   * connection fails (TLS-30, TLS-32). `origin` is what makes the caller insist.
   */
  | {
      readonly because: "callee-not-verified";
      readonly problem: string;
      readonly origin: Origin;
    }
  /** The callee has no sidecar, so that nothing is enforced there (AP-6). */
  | { readonly because: "no-sidecar" }
  /** NetworkPolicies isolate one end of the connection, and none of them allows it. */
  | {
      readonly because: "network-policy";
      readonly direction: "egress" | "ingress";
      readonly policies: readonly ResourceRef[];
    }
  /** The address is no destination of the mesh, and `outboundTrafficPolicy` is REGISTRY_ONLY. */
  | { readonly because: "unknown-destination" }
  /** A process outside the pod used the pod's outbound side. */
  | { readonly because: "not-own-workload"; readonly problem: string }
  /** Envoy decided, and says no more of it than `details`, in its own words. */
  | { readonly because: "told-by-envoy"; readonly details: string };

/** What one rule of a RequestAuthentication made of the tokens in its places. */
export interface TokenRuleOutcome {
  readonly origin: ResourceOrigin;
  /** "" is any. */
  readonly issuer: string;
  /** "good", or what is wrong in the words of an answer. */
  readonly outcome: string;
}

/** An ALLOW rule that did not match, and every condition of it that failed. */
export interface NearestMiss {
  readonly rule: RuleRef;
  readonly unmet: readonly UnmetCondition[];
}

export interface UnmetCondition {
  /** As in the resource: `to.operation.methods`, `from.source.principals`, `when request.headers[x]`. */
  readonly field: string;
  /** The values that would have matched, as written. */
  readonly expected: string;
  /** What the traffic carried; "nothing" when absent. */
  readonly got: string;
}

/** The mutual TLS mode of a port after composition: never UNSET (PA-9). */
export type MutualTlsMode = Exclude<PeerAuthenticationMode, "UNSET">;
