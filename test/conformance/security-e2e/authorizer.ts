/** The external authorizer of upstream's frame: what it answers does not depend on which provider it is asked as. */
import type { E2eCase } from "./e2e-case.ts";

/** Upstream's words for the only one that there is. */
const KNOWN =
  /^allows a request when header x-ext-authz: allow is present; for TCP allows when the source principal ends in "\/sa\/a"/;

/** Whether it is the one that `sampleAuthorizer` plays. */
export function isSampleAuthorizer({ setup }: E2eCase): boolean {
  return KNOWN.test(setup?.authorizer ?? "");
}
