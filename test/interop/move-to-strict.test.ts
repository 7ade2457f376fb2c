/**
 * The articles' migration: PERMISSIVE to STRICT namespace by namespace, then for the whole mesh, and back, with kubectl,
 * at 500 requests a second. Nothing fails but what STRICT is meant to refuse.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { request } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../kit/eventually.ts";
import { kubectlInPath } from "../kit/kubectl-in-path.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween, untilAnswered } from "../kit/steady-load.ts";

const skip = missingParts("kubectl");
const CALLERS = ["production/calls-staging", "staging/calls-production", "production/calls-own"];
/** Of 500 a second, for timers and a busy machine. */
const LEAST_PER_SECOND = 350;
const BETWEEN_STEPS_MS = 1_500;

let mesh: RunningMesh;

before(async () => {
  if (skip) return;
  await kubectlInPath();
  mesh = await runMesh(["test/meshes/move-to-strict"]);
  await untilAnswered(CALLERS.map(loadLog));
});
after(() => mesh?.stop());

function loadLog(caller: string): string {
  return join(mesh.data, "logs", `${caller}-0`, "load.log");
}

function kubectl(parameters: readonly string[], input?: string): string {
  const env = { ...process.env, KUBECONFIG: join(mesh.data, "kubeconfig") };
  return execFileSync("kubectl", parameters, { env, encoding: "utf8", ...(input && { input }) });
}

function setMode(namespace: string, mode: string): void {
  const policy = {
    apiVersion: "security.istio.io/v1",
    kind: "PeerAuthentication",
    metadata: { name: "default", namespace },
    spec: { mtls: { mode } },
  };
  kubectl(["apply", "-f", "-"], JSON.stringify(policy));
}

/** A program without sidecar, which the mesh's default serves. @returns the status; undefined where it is refused */
async function plaintextCall(namespace: string): Promise<number | undefined> {
  const state = await mesh.currentState();
  const workload = state.workloads.find(
    (one) => one.namespace === namespace && one.owner === "one",
  );
  const { address: host = "", port } = workload?.ports[0]?.listen ?? {};
  return new Promise((resolve) => {
    const call = request({ host, port, path: "/", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    call.on("error", () => resolve(undefined));
    call.end();
  });
}

async function plaintextIs(namespace: string, expected: number | undefined): Promise<void> {
  await eventually(
    `plaintext to ${namespace} is ${expected ?? "refused"}`,
    async () => (await plaintextCall(namespace)) === expected,
  );
}

test("PERMISSIVE to STRICT and back, namespace by namespace: 0 requests of the mesh fail", {
  skip,
}, async (context) => {
  const from = Date.now();
  await plaintextIs("staging", 200);
  setMode("staging", "STRICT");
  await plaintextIs("staging", undefined);
  await plaintextIs("production", 200);
  await delay(BETWEEN_STEPS_MS);
  setMode("production", "STRICT");
  await plaintextIs("production", undefined);
  await delay(BETWEEN_STEPS_MS);
  setMode("istio-system", "STRICT");
  kubectl(["delete", "peerauthentication", "default", "-n", "staging"]);
  await delay(BETWEEN_STEPS_MS);
  await plaintextIs("staging", undefined);
  setMode("istio-system", "PERMISSIVE");
  await plaintextIs("staging", 200);
  setMode("production", "PERMISSIVE");
  await plaintextIs("production", 200);
  const to = Date.now() - 500;
  const outcomes = (
    await Promise.all(CALLERS.map((caller) => outcomesBetween(loadLog(caller), { from, to })))
  ).flat();
  const perSecond = (outcomes.length * 1_000) / (to - from);
  context.diagnostic(`${outcomes.length} requests, ${perSecond.toFixed(0)} a second`);
  assert.ok(perSecond >= LEAST_PER_SECOND, `only ${perSecond.toFixed(0)} requests a second`);
  assert.deepEqual(outcomes.filter(isFailure).slice(0, 10), []);
});
