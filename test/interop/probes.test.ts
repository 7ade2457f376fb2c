/** Probes of pods that share the loopback, under STRICT and a policy that lets nobody in. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import type { ContainerStatus, MeshStatus } from "../../src/local/mesh-status.ts";
import { productCommand } from "../kit/product-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

describe("probes on loopback", () => {
  let mesh: RunningMesh;

  before(async () => {
    mesh = await runMesh(["test/meshes/probes"]);
  });
  after(() => mesh?.stop());

  function containersOf(owner: string): readonly ContainerStatus[] {
    const asked = [...productCommand(), "status", "--json", "--data", mesh.data];
    // Its exit code says that not all are ready.
    const { stdout } = spawnSync(process.execPath, asked, { encoding: "utf8" });
    const { pods }: MeshStatus = JSON.parse(stdout);
    return pods.find((pod) => pod.owner === owner)?.containers ?? [];
  }
  const readinessOf = (owner: string): string =>
    containersOf(owner)
      .map(({ name, readiness }) => `${name} ${readiness}`)
      .join(", ");

  test("INJ-27 every kind is well", async () => {
    const well = "http ready, grpc ready, tcp ready, exec ready";
    await until("all to be ready", async () => readinessOf("api") === well);
  });

  test("INJ-27 not rewritten, HTTP and gRPC are refused, and the sidecar accepts TCP", async () => {
    const told = await until("problems of two", async () => {
      const [http, grpc] = containersOf("exposed");
      return http?.problem !== undefined && grpc?.problem !== undefined && http.problem;
    });
    assert.match(told, /ECONNRESET|hang up/);
    assert.equal(readinessOf("exposed"), "http not-ready, grpc not-ready, tcp ready");
  });
});
