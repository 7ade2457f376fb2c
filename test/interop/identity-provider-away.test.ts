/**
 * An identity provider that is away for a day, by the clock of real processes: whoever has a token of it is served all the
 * time, also after the control plane and the sidecar were killed and found no provider when they started anew (JWT-84).
 */
import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { MeshStatus } from "../../src/local/mesh-status.ts";
import { type FakedClock, fakedClock } from "../kit/faked-clock.ts";
import { runHauberk } from "../kit/hauberk-command.ts";
import { IdentityProvider } from "../kit/identity-provider.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { until } from "../kit/until.ts";
import { writeWhole } from "../kit/write-whole.ts";

const HOUR_MS = 3_600_000;
/** Of real time, for each hour of the mesh's. */
const STEP_MS = 400;
const OWN = "https://auth.example.com";
const HOSTS = ["auth.example.com", "www.googleapis.com"];
const SEEDS = ["11-request-authentication.yaml", "12-require-jwt-by-role.yaml"];

const skip = missingParts("faketime");

describe("an identity provider that is away for a day", { skip }, () => {
  const provider = new IdentityProvider(HOSTS);
  let folder: string;
  let clock: FakedClock;
  let mesh: RunningMesh;
  let calls = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hauberk-away-"));
    const files = join(folder, "mesh");
    await provider.start();
    await cp("test/meshes/article", files, { recursive: true });
    await rm(join(files, "caller.yaml"));
    for (const seed of SEEDS) await cp(`examples/seeds/${seed}`, join(files, seed));
    await writeWhole(join(files, "providers.yaml"), provider.manifests(HOSTS));
    clock = await fakedClock(join(folder, "clock"));
    mesh = await runMesh([files], { data: join(folder, "data"), program: clock.program });
    await until("the keys", async () => (await call()) === 200);
  });
  after(async () => {
    await mesh?.stop();
    provider.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  /** With a token that nobody has seen before. @returns the status; 0 for none */
  async function call(): Promise<number> {
    const listen = mesh.workload("api-service").ports[0]?.listen;
    const claims = { iss: OWN, aud: "api.example.com", sub: "alice", role: "viewer" };
    const now = new Date(Date.now() + clock.aheadMs);
    const token = await provider.sign({ ...claims, jti: `${calls++}` }, now);
    const url = `http://${listen?.address}:${listen?.port}/api/orders`;
    try {
      const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }

  async function callsDuring(work: () => Promise<void>): Promise<readonly number[]> {
    const statuses: number[] = [];
    let isOver = false;
    const calling = (async () => {
      while (!isOver) {
        statuses.push(await call());
        await delay(10);
      }
    })();
    await work();
    isOver = true;
    await calling;
    return statuses;
  }

  async function hoursPass(hours: number): Promise<void> {
    for (let hour = 0; hour < hours; hour++) {
      await clock.moveAhead(HOUR_MS);
      await delay(STEP_MS);
    }
  }

  async function status(): Promise<MeshStatus> {
    const { output } = await runHauberk(["status", "--json", "--data", mesh.data]);
    return JSON.parse(output);
  }

  async function killControlPlane(): Promise<void> {
    const { processId } = (await status()).controlPlane;
    assert.ok(processId !== undefined);
    process.kill(processId, "SIGKILL");
    await until("another control plane to have asked in vain", async () => {
      const log = await mesh.read("logs/control-plane.log");
      return log.includes('"effect":"the last keys stay in use"');
    });
  }

  test("every request is served for 24 hours, over a new control plane as well", async (context) => {
    provider.stop();
    const asked = provider.asked.length;
    const statuses = await callsDuring(async () => {
      await hoursPass(12);
      await killControlPlane();
      await hoursPass(12);
    });
    context.diagnostic(`${statuses.length} requests in 24 h of the mesh`);
    assert.ok(statuses.length > 300, String(statuses.length));
    assert.deepEqual(
      statuses.filter((one) => one !== 200),
      [],
    );
    assert.equal(provider.asked.length, asked);
  });

  test("a sidecar that starts then knows the keys", async () => {
    const title = "production/api-service-0 sidecar";
    const { processes } = await mesh.currentState();
    const before = processes.find((one) => one.title === title) ?? assert.fail("no sidecar");
    process.kill(before.processId, "SIGKILL");
    await until("another sidecar", async () => {
      const now = (await mesh.currentState()).processes.find((one) => one.title === title);
      return now !== undefined && now.processId !== before.processId && (await call()) === 200;
    });
  });
});
