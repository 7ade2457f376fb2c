/**
 * DENY and ALLOW as one matcher of Envoy's RBAC, so that they change together: DENY rules are asked, then ALLOW rules; where
 * nothing matches, Envoy denies (AP-1).
 */
import type { RuleDemands } from "../rule-demands.ts";
import { regex } from "../string-matchers.ts";
import type { ChainKind } from "./demand-predicate.ts";
import { PEER_URI } from "./inputs.ts";
import { decide, firstOf, type Matcher, type OnMatch } from "./match-tree.ts";
import type { Domains } from "./peer-places.ts";
import { not, text } from "./predicate.ts";
import { ruleTree } from "./rule-tree.ts";

export interface JudgedRules {
  readonly deny: readonly RuleDemands[];
  /** Absent: no ALLOW policy applies, and whatever is not denied is let through (AP-7). Empty: nothing is let through. */
  readonly allow?: readonly RuleDemands[];
}

export interface MatcherOptions {
  readonly kind: ChainKind;
  readonly domains: Domains;
  /** Whether rules are found by who calls and by paths, instead of being asked in turn. */
  readonly indexed: boolean;
}

export function authorizationMatcher(
  { deny, allow }: JudgedRules,
  { kind, domains, indexed }: MatcherOptions,
): Matcher {
  const options = { kind, domains, indexed };
  const allowed =
    allow === undefined
      ? decide("no-allow-policy", "ALLOW")
      : ruleTree(allow, { ...options, verdict: "ALLOW" });
  const judged = ruleTree(deny, {
    ...options,
    verdict: "DENY",
    ...(allowed && { otherwise: allowed }),
  });
  return asMatcher(kind.peer === "mesh" ? firstOf([STRANGE_PEER], judged) : judged);
}

/** Where nothing can match, Envoy denies; a matcher has to say something all the same. */
function asMatcher(tree: OnMatch = decide("no-allow-rule", "DENY")): Matcher {
  return "matcher" in tree ? tree.matcher : { onNoMatch: tree };
}

const SEGMENT = "(?:[A-Za-z0-9_-]|\\.[A-Za-z0-9_-]|\\.\\.[A-Za-z0-9._-])[A-Za-z0-9._-]*";

/**
 * A peer is known by one SPIFFE ID (AP-45a). Several URIs are joined by commas, and what is asked of their beginning or end
 * would be asked of one of them alone.
 */
const STRANGE_PEER = {
  when: not(text(PEER_URI, regex(`spiffe://[a-z0-9._-]+(?:/${SEGMENT})*`))),
  outcome: decide("no-single-spiffe-id", "DENY"),
};
