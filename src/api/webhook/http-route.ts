/** An HTTP route of a VirtualService: what is matched, and what is done with it. */
import type { Fields } from "../decoder.ts";
import { checkCorsPolicy } from "./cors-policy.ts";
import { checkDuration } from "./duration.ts";
import { checkFaultInjection } from "./fault-injection.ts";
import { checkAuthorityOnce, checkHeaderOperations } from "./header-operations.ts";
import { checkHttpMatch } from "./http-match.ts";
import { checkMirrors } from "./http-mirror.ts";
import { checkDirectResponse, checkRedirect } from "./http-redirect.ts";
import { checkRetries } from "./http-retry.ts";
import { checkRewrite } from "./http-rewrite.ts";
import { checkDestinations } from "./route-destination.ts";
import type { RouteSemantics } from "./route-semantics.ts";

export interface HttpRouteContext {
  /** "delegate": the VirtualService has no hosts, and another leads to it. */
  readonly owner: "root" | "delegate";
  readonly semantics: RouteSemantics;
}

export function checkHttpRoute(route: Fields, { owner, semantics }: HttpRouteContext): void {
  checkOneAction(route, owner);
  for (const match of route.list("match")) checkHttpMatch(match);
  checkHeaderOperations(route);
  checkAuthorityOnce(route);
  checkCorsPolicy(route.section("corsPolicy"));
  checkFaultInjection(route);
  checkMirrors(route);
  checkRedirect(route);
  checkDirectResponse(route);
  checkRetries(route);
  checkRewrite(route);
  for (const destination of route.list("route")) checkHeaderOperations(destination);
  checkDestinations(route, semantics);
  checkDuration(route, "timeout");
}

/** A route leads to destinations, or redirects, or answers itself; one that delegates does none of it. */
function checkOneAction(route: Fields, owner: HttpRouteContext["owner"]): void {
  if (route.has("delegate") && owner === "root") {
    refuseTogether(route, { chosen: "delegate", others: ["redirect", "route"] });
    return;
  }
  if (route.has("delegate")) {
    route.report("delegate", "must not be given in a VirtualService that is a delegate itself");
  }
  const others = ["route", "fault", "rewrite"];
  if (route.has("redirect")) {
    refuseTogether(route, { chosen: "redirect", others: [...others, "directResponse"] });
  } else if (route.has("directResponse")) {
    refuseTogether(route, { chosen: "directResponse", others });
  } else if (route.itemCount("route") === 0) {
    route.reportHere("must have route, redirect or directResponse");
  }
  if (route.has("mirror") && route.itemCount("mirrors") > 0) {
    route.report("mirrors", "must not be given together with mirror");
  }
}

function refuseTogether(
  route: Fields,
  { chosen, others }: { readonly chosen: string; readonly others: readonly string[] },
): void {
  for (const name of others) {
    const given = name === "route" ? route.itemCount(name) > 0 : route.has(name);
    if (given) route.report(name, `must not be given together with ${chosen}`);
  }
}
