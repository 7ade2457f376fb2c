/**
 * NetworkPolicy where all pods share the machine's loopback: no kernel tells them apart, so the sidecars of both ends
 * enforce it, and say so.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";

const API_PORT = 8080;

const POLICY = (admitted: readonly string[]): string =>
  JSON.stringify({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "api", namespace: "shop" },
    spec: {
      podSelector: { matchLabels: { app: "api" } },
      ingress: [
        {
          from: admitted.map((app) => ({ podSelector: { matchLabels: { app } } })),
          ports: [{ port: API_PORT }],
        },
      ],
    },
  });

describe("NetworkPolicy on loopback", () => {
  let folder: string;
  let mesh: RunningMesh;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-"));
    await cp("test/meshes/shop", folder, { recursive: true });
    await writeFile(join(folder, "policy.yaml"), POLICY(["web"]));
    mesh = await runMesh([folder]);
  });
  after(async () => {
    await mesh?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Of the last call that a caller made, one a tenth of a second. */
  async function lastStatus(caller: string): Promise<string | undefined> {
    const log = await mesh.read(`logs/shop/${caller}-0/calls.log`);
    return log.trim().split("\n").at(-1);
  }

  async function refusals(pod: string): Promise<readonly AccessLogEntry[]> {
    const log = await mesh.read(`logs/shop/${pod}-0/access.log`);
    return log
      .split("\n")
      .filter((line) => line !== "")
      .map((line): AccessLogEntry => JSON.parse(line))
      .filter(({ decision }) => decision?.reason.because === "network-policy");
  }

  test("who is admitted is served, and nothing is said of the policy", async () => {
    await until("web to be served", async () => (await lastStatus("web")) === "200");
    assert.deepEqual(await refusals("web"), []);
  });

  test("who is not admitted is refused by its own sidecar, which names the policy", async () => {
    const [entry] = await until("a refusal", async () => {
      const found = await refusals("stranger");
      return found.length > 0 && found;
    });
    assert.equal(entry?.reporter, "source");
    assert.deepEqual(entry?.decision, {
      verdict: "deny",
      reason: {
        because: "network-policy",
        direction: "ingress",
        policies: [{ kind: "NetworkPolicy", namespace: "shop", name: "api" }],
      },
    });
    assert.equal(await lastStatus("stranger"), "503");
  });

  test("a caller without a sidecar is refused by the callee's", async () => {
    const [port] = mesh.workload("api").ports;
    const { address: host = "", port: at = 0 } = port?.listen ?? {};
    const failed = once(get({ host, port: at, agent: false }), "error");
    const [{ code }] = await failed;
    assert.equal(code, "ECONNRESET"); // as a kernel would
    const [entry] = await until("a refusal", async () => {
      const found = await refusals("api");
      return found.length > 0 && found;
    });
    assert.equal(entry?.reporter, "destination");
  });

  test("a policy that comes to admit a caller lets it in", async () => {
    await writeFile(join(folder, "policy.yaml"), POLICY(["web", "stranger"]));
    await until("the stranger to be served", async () => (await lastStatus("stranger")) === "200");
    assert.equal(await lastStatus("web"), "200");
  });
});
