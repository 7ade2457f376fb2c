/** What decided, in the few words that fit a table: `ALLOW production/api-access[0]`. */
import type { ResourceRef } from "../../api/resource.ts";
import type { Origin, Reason, RuleRef } from "../../policy/decision.ts";
import { summarize } from "../../policy/explain.ts";

export function decidedBy(reason: Reason): string {
  switch (reason.because) {
    case "matched-allow":
      return `ALLOW ${ruleName(reason.matched)}`;
    case "matched-deny":
      return `DENY ${ruleName(reason.matched)}`;
    case "no-allow-matched":
      return nearestName(reason);
    case "plaintext-refused":
      return `STRICT by ${originName(reason.origin)}`;
    case "tls-refused":
      return `DISABLE by ${originName(reason.origin)}`;
    case "not-own-workload":
      return "not the pod's own process";
    default:
      return summarize(reason);
  }
}

function nearestName({ nearest }: Extract<Reason, { because: "no-allow-matched" }>): string {
  const [first] = nearest;
  return first === undefined ? "no ALLOW has a rule" : `nearest ${ruleName(first.rule)}`;
}

const ruleName = ({ policy, rule }: RuleRef): string => `${refName(policy)}[${rule}]`;

const originName = (origin: Origin): string =>
  origin === "default" ? "default" : refName(origin.ref);

const refName = ({ namespace, name }: ResourceRef): string => `${namespace}/${name}`;
