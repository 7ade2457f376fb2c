/**
 * Authorities of a running mesh, replaced one by another while the control plane is killed in every phase: by hand, and by
 * the folder of a custom authority that OpenSSL made.
 */
import assert from "node:assert/strict";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AuthorityOverview } from "../../src/control/authority-overview.ts";
import { readMeshState } from "../../src/local/mesh-state.ts";
import { eventually } from "../kit/eventually.ts";
import {
  type CommandResult,
  type RunningCommand,
  runHauberk,
  startHauberk,
  untilSaid,
} from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { makeIntermediate, makeRoot } from "../kit/openssl-authority.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const MESH = "examples/first-verdict";
const STOPPED = "production/api-0";
const skip = missingParts("openssl");

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function ca(data: string, ...parameters: readonly string[]): Promise<CommandResult> {
  return runHauberk(["ca", ...parameters, "--data", data]);
}

async function overviewOf(data: string): Promise<AuthorityOverview | undefined> {
  const { output } = await ca(data, "status", "--json");
  return output === "" ? undefined : (JSON.parse(output) as AuthorityOverview);
}

/** `active 0123456789abcdef`, active first. */
async function statesOf(data: string): Promise<readonly string[]> {
  const overview = await eventually("the control plane's answer", () => overviewOf(data));
  return overview.authorities.map(({ id, state }) => `${state} ${id}`);
}

async function assertTaken(data: string, ...parameters: readonly string[]): Promise<void> {
  const { code, output, errors } = await ca(data, ...parameters);
  assert.equal(code, 0, `${parameters.join(" ")}: ${output}${errors}`);
}

/** Ends it as no program can prevent, and waits for the one that comes after it. */
async function killControlPlane(mesh: Pick<RunningMesh, "currentState">): Promise<void> {
  const before = await processNamed(mesh, "control plane");
  process.kill(before, "SIGKILL");
  await eventually("another control plane", async () => {
    const { processes } = await mesh.currentState();
    return processes.some(
      ({ title, processId }) => title === "control plane" && processId !== before,
    );
  });
}

async function processNamed(
  mesh: Pick<RunningMesh, "currentState">,
  wanted: string,
): Promise<number> {
  const { processes } = await mesh.currentState();
  const found = processes.find(({ title }) => title === wanted);
  return found?.processId ?? assert.fail(`no ${wanted}`);
}

test("by hand, through every phase: kill -9 of the control plane loses nothing, and who is not ready is named", async () => {
  const mesh = await runMesh([MESH], join(folder, "by-hand"));
  const { data } = mesh;
  try {
    const [first = ""] = (await statesOf(data)).map((text) => text.split(" ")[1] ?? "");
    const survive = async (...expected: readonly string[]): Promise<void> => {
      await killControlPlane(mesh);
      assert.deepEqual(await statesOf(data), expected);
    };
    await assertTaken(data, "prepare", "--wait", "60s");
    const [, second = ""] = (await statesOf(data)).map((text) => text.split(" ")[1] ?? "");
    await survive(`active ${first}`, `prepared ${second}`);
    await assertTaken(data, "rollback");
    await survive(`active ${first}`);
    await assertTaken(data, "prepare", "--wait", "60s");
    const [, third = ""] = (await statesOf(data)).map((text) => text.split(" ")[1] ?? "");
    await assertTaken(data, "activate", "--wait", "60s");
    await survive(`active ${third}`, `retiring ${first}`);
    await assertTaken(data, "rollback");
    await survive(`active ${first}`, `retiring ${third}`);
    const again = await ca(data, "rollback");
    assert.equal(again.code, 1, "never forward: whoever tries again ends where the first led");
    assert.match(again.errors, /was rolled back already/);
    await assertTaken(data, "activate", "--wait", "60s");
    const sidecar = await processNamed(mesh, `${STOPPED} sidecar`);
    process.kill(sidecar, "SIGSTOP");
    const revoking: RunningCommand[] = [];
    try {
      await assertTaken(data, "taint");
      await survive(`active ${third}`, `tainted ${first}`);
      const { code, errors } = await ca(data, "revoke", "--wait", "10s");
      assert.equal(code, 1);
      assert.match(errors, new RegExp(`^  ${STOPPED} `, "m"));
      assert.match(errors, /--force/);
      const waiting = startHauberk(["ca", "revoke", "--wait", "90s", "--data", data]);
      revoking.push(waiting);
      await untilSaid(waiting, new RegExp(`waiting for .*${STOPPED}`));
      await killControlPlane(mesh);
    } finally {
      process.kill(sidecar, "SIGCONT");
    }
    const revoked = await revoking[0]?.ended;
    assert.equal(revoked?.code, 0, `${revoked?.output}${revoked?.errors}`);
    await survive(`active ${third}`);
    await eventually("all sidecars", async () => {
      const { sidecars = [] } = (await overviewOf(data)) ?? {};
      return sidecars.length === 3 && sidecars.every(({ issuer }) => issuer === third);
    });
  } finally {
    await mesh.stop();
  }
});

test("CA-46, CA-47: a custom authority is adopted without restart, a bad one refused, a kill does not stop it", {
  skip,
}, async () => {
  const [data, cacerts] = [join(folder, "custom"), join(folder, "cacerts")];
  const [east, west] = [join(folder, "east"), join(folder, "west")];
  await makeRoot(east, "East Root");
  await makeRoot(west, "West Root");
  const first = await makeIntermediate(cacerts, { root: east, name: "East 1" });
  const mesh = startCustomMesh(data, cacerts);
  const inForce = (subject: string): Promise<AuthorityOverview> =>
    eventually(`${subject} alone`, async () => {
      const overview = await overviewOf(data);
      const { authorities = [], sidecars = [] } = overview ?? {};
      const [active, ...others] = authorities;
      if (active?.subject !== subject || others.length > 0) return undefined;
      return (
        sidecars.length === 3 && sidecars.every(({ issuer }) => issuer === active.id) && overview
      );
    });
  try {
    await untilSaid(mesh, /the mesh is up/);
    await inForce(first);

    await makeIntermediate(cacerts, { root: east, name: "East 2" });
    const under = await eventually("the new intermediate", async () => {
      const overview = await overviewOf(data);
      return overview?.authorities[0]?.subject === "O=Example, CN=East 2" && overview;
    });
    assert.deepEqual(
      under.authorities.map(({ state }) => state),
      ["active", "retiring"],
      "under the same root nobody is hurried",
    );

    await copyFile(join(east, "root-key.pem"), join(cacerts, "ca-key.pem"));
    const refused = await eventually("the refusal", async () => {
      const overview = await overviewOf(data);
      return overview?.custom?.refused !== undefined && overview;
    });
    assert.match(refused.custom?.refused ?? "", /ca-key\.pem/);
    assert.equal(refused.authorities[0]?.subject, "O=Example, CN=East 2");
    assert.equal((await ca(data, "status")).code, 1);

    const last = await makeIntermediate(cacerts, { root: west, name: "West 1" });
    const currentState: RunningMesh["currentState"] = async () =>
      (await readMeshState(join(data, "mesh.json"))) ?? assert.fail("no state");
    await killControlPlane({ currentState });
    const end = await inForce(last);
    assert.match(mesh.output(), /authority rotation: the former authority is trusted no more/);
    assert.deepEqual(end.warnings, []);
    assert.equal((await ca(data, "status")).code, 0);
  } finally {
    mesh.stop();
    await mesh.ended;
  }
});

function startCustomMesh(data: string, cacerts: string): RunningCommand {
  const network = ["--network", "loopback"];
  return startHauberk(["up", ...network, "--data", data, "--cacerts", cacerts, "-f", MESH]);
}

test("CA-44: a custom authority that is bad from the start is refused, and nothing is started", {
  skip,
}, async () => {
  const cacerts = join(folder, "bad");
  await makeRoot(join(folder, "north"), "North Root");
  await makeIntermediate(cacerts, { root: join(folder, "north"), name: "North 1" });
  await rm(join(cacerts, "cert-chain.pem"));
  const command = startCustomMesh(join(folder, "never"), cacerts);
  const { code, errors } = await command.ended;
  assert.equal(code, 1);
  assert.match(errors, /cert-chain\.pem .*HAUBERK_PLUGGED_AUTHORITY/s);
});
