import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { planWorkloads } from "../policy/plan-workloads.ts";
import { PodTurns, placeOf } from "./pod-turns.ts";

const owner = (kind: string, name: string): string => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: ${name}, namespace: shop}
spec:
${kind === "StatefulSet" ? `  serviceName: ${name}\n` : ""}  replicas: 2
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: a, image: a, command: [a]}]}
`;
const MESH = [
  ["Deployment", "api"],
  ["StatefulSet", "db"],
  ["StatefulSet", "api"],
]
  .map(([kind = "", name = ""]) => owner(kind, name))
  .join("---");

function namesIn(turns: PodTurns): string[] {
  const { resources } = parseResources(MESH, "mesh.yaml");
  const workloads = planWorkloads(resources, {
    uid: (key) => key,
    place: () => ({ address: "", port: 0 }),
    turn: (place) => turns.of(place),
  });
  return workloads.map((workload) => `${workload.name} at ${placeOf(workload)}`);
}

test("pods of a Deployment take turns with their names; those of a StatefulSet have one", () => {
  const places = ["shop/api-1-deployment", "shop/db-0", "shop/api-0"];
  const second = new PodTurns().flipped(places);
  assert.deepEqual(namesIn(second), [
    "api-0-deployment at shop/api-0-deployment",
    "api-1-deployment-b at shop/api-1-deployment",
    "db-0 at shop/db-0",
    "db-1 at shop/db-1",
    "api-0 at shop/api-0",
    "api-1 at shop/api-1",
  ]);
  assert.deepEqual(namesIn(second.flipped(places)), namesIn(new PodTurns()));
});

test("a place that is planned no more begins with its first name again", () => {
  const second = new PodTurns().flipped(["shop/api-0", "shop/api-1"]);
  const kept = second.among(new Set(["shop/api-1"]));
  assert.deepEqual(
    ["shop/api-0", "shop/api-1"].map((place) => kept.of(place)),
    ["first", "second"],
  );
});
