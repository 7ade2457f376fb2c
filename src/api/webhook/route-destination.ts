/** Where a route leads: hosts with their subsets, ports and weights. */
import type { Fields } from "../decoder.ts";
import { quoted } from "../quoted.ts";
import { wildcardHostProblem } from "./host-name.ts";
import { portNumberProblem } from "./port.ts";
import type { RouteSemantics } from "./route-semantics.ts";
import { subsetNameProblem } from "./subset-name.ts";
import { numberIn, textIn } from "./written-values.ts";

/** @param owner what has a `destination`; its absence is the caller's matter */
export function checkDestination(owner: Fields, field: "destination" | "mirror"): void {
  if (!owner.has(field)) return;
  const destination = owner.section(field);
  const host = textIn(destination, "host");
  const problem =
    host === "*" ? `${quoted(host)} is no host to send to` : wildcardHostProblem(host);
  if (problem !== undefined) destination.report("host", problem);
  const subset = textIn(destination, "subset");
  const subsetProblem = subset === "" ? undefined : subsetNameProblem(subset);
  if (subsetProblem !== undefined) destination.report("subset", subsetProblem);
  if (!destination.has("port")) return;
  const port = destination.section("port");
  const portProblem = portNumberProblem(numberIn(port, "number"));
  if (portProblem !== undefined) port.report("number", portProblem);
}

/** The `route` of an HTTP, TCP or TLS route. */
export function checkDestinations(route: Fields, semantics: RouteSemantics): void {
  const destinations = route.list("route");
  for (const row of destinations) {
    if (!row.has("destination")) row.report("destination", "is missing");
    if (semantics === "istio") checkDestination(row, "destination");
    const weight = numberIn(row, "weight");
    if (weight < 0) row.report("weight", `is ${weight}; must not be negative`);
  }
  const total = destinations.reduce((sum, row) => sum + numberIn(row, "weight"), 0);
  if (destinations.length > 1 && total === 0) {
    route.report("route", "has weights of 0 in all; nothing would be sent anywhere");
  }
}
