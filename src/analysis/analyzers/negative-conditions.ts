/** Objects whose status says that something was not accepted. */
import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";

const BOUND = ["istio.io/WaypointBound"];
const ROUTED = ["Accepted", "Programmed", "ResolvedRefs"];

const AWAITED: Readonly<Record<string, readonly string[]>> = {
  Service: BOUND,
  ServiceEntry: BOUND,
  WorkloadEntry: BOUND,
  AuthorizationPolicy: ["ZtunnelAccepted", "WaypointAccepted"],
  KubernetesGateway: ROUTED,
  HTTPRoute: ROUTED,
  GRPCRoute: ROUTED,
};

export const negativeConditions: Analyzer = {
  name: "conditions.ConditionAnalyzer",
  about: "objects whose status has a condition that should not be",
  *analyze(mesh) {
    for (const [kind, awaited] of Object.entries(AWAITED))
      for (const object of mesh.of(kind))
        for (const condition of conditionsOf(object))
          if (isNegative(condition, awaited)) {
            const said = ["type", "reason", "message"].map((name) => condition.at(name).text);
            yield finding(object, "IST0171", said, condition);
          }
  },
};

function isNegative(condition: Field, awaited: readonly string[]): boolean {
  const type = condition.at("type").text;
  if (!awaited.includes(type)) return false;
  const isPartly = condition.at("reason").text === "PartiallyInvalid";
  // Status "False" in quotes and without them is the same here.
  const isFalse = condition.at("status").text.toLowerCase() === "false";
  return isFalse || (type === "WaypointAccepted" && isPartly);
}

function conditionsOf({ root }: AnalyzedObject): readonly Field[] {
  const status = root.at("status");
  const ofParents = status.at("parents").items.flatMap((one) => one.at("conditions").items);
  return [...status.at("conditions").items, ...ofParents];
}
