/** Annotations that istiod's webhook judges on every kind, before it looks at the rest. */
import type { AuthorizationAction } from "../authorization-policy.ts";
import { quoted } from "../quoted.ts";
import type { WebhookRequest } from "./webhook.ts";

const DRY_RUN = "istio.io/dry-run";

/** Set by istiod alone, on what it makes itself; on a user's resource they would lend it another's rights. */
const REFUSED: readonly string[] = [
  "internal.istio.io/webhook-always-reject",
  "internal.istio.io/parent-namespace",
  "internal.istio.io/parents",
];

/** What Go's `strconv.ParseBool` takes for a boolean. */
const BOOLEANS: readonly string[] = [
  ...["1", "t", "T", "TRUE", "true", "True"],
  ...["0", "f", "F", "FALSE", "false", "False"],
];

export function checkReservedAnnotations(request: WebhookRequest): void {
  for (const name of REFUSED) {
    if (Object.hasOwn(request.annotations, name)) report(request, name, "must not be set by users");
  }
}

/** Only an AuthorizationPolicy can be on trial (AP-110). */
export function refuseDryRun(request: WebhookRequest): void {
  if (!Object.hasOwn(request.annotations, DRY_RUN)) return;
  report(request, DRY_RUN, "is for AuthorizationPolicy alone; remove it");
}

/** Only what is enforced here can be on trial: ALLOW and DENY (AP-110, AP-113). */
export function checkDryRun(request: WebhookRequest, action: AuthorizationAction): void {
  if (!Object.hasOwn(request.annotations, DRY_RUN)) return;
  const value = request.annotations[DRY_RUN] ?? "";
  if (action !== "ALLOW" && action !== "DENY") {
    report(request, DRY_RUN, `is for the actions ALLOW and DENY alone, not for ${action}`);
  } else if (!BOOLEANS.includes(value)) {
    report(request, DRY_RUN, `is ${quoted(value)}; expected "true" or "false"`);
  }
}

function report({ root }: WebhookRequest, name: string, problem: string): void {
  root.section("metadata").section("annotations").report(name, problem);
}
