/** Who is called. */
import type { PolicySet } from "./question.ts";

export function calleeOf({ trust }: Pick<PolicySet, "trust">): string {
  return `spiffe://${trust.trustDomain}/ns/production/sa/api`;
}
