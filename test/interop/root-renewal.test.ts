/**
 * A mesh that lives longer than its root: the self-signed root renews itself, under load on real sockets, and no request
 * fails.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AuthorityOverview } from "../../src/control/authority-overview.ts";
import { eventually } from "../kit/eventually.ts";
import { type CommandResult, runHauberk } from "../kit/hauberk-command.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween, untilAnswered } from "../kit/steady-load.ts";

const ROOT_LIVES_MS = 60_000;
const RENEWALS = 2;
const CALLERS = ["calls-one", "calls-two"];

let mesh: RunningMesh;
before(async () => {
  const flag = `CITADEL_SELF_SIGNED_CA_CERT_TTL=${ROOT_LIVES_MS / 1_000}s`;
  mesh = await runMesh(["test/meshes/pairs"], { program: ["env", flag, process.execPath] });
  await untilAnswered(CALLERS.map(loadLog));
});
after(() => mesh?.stop());

const loadLog = (caller: string): string =>
  join(mesh.data, "logs/pairs", `${caller}-0`, "load.log");

const ca = (...parameters: readonly string[]): Promise<CommandResult> =>
  runHauberk(["ca", ...parameters, "--data", mesh.data]);

/** Also of a control plane that is started again. */
function overview(): Promise<AuthorityOverview> {
  return eventually("the control plane's answer", async () => {
    const { output } = await ca("status", "--json");
    return output !== "" && (JSON.parse(output) as AuthorityOverview);
  });
}

/** As no program can prevent; another comes after it. */
async function killControlPlane(): Promise<void> {
  const { processes } = await mesh.currentState();
  const found = processes.find(({ title }) => title === "control plane");
  process.kill(found?.processId ?? assert.fail("no control plane"), "SIGKILL");
}

test("CA-42: the root renews itself before it ends, twice, over a kill of the control plane, and no request fails", async () => {
  const from = Date.now();
  const [first] = (await overview()).authorities;
  const { output } = await ca("status");
  assert.match(output, /^renewal of the self-signed root: from 20\S+ on/m);
  await eventually("a root that comes", async () => (await overview()).authorities.length > 1, {
    withinMs: ROOT_LIVES_MS,
  });
  await killControlPlane();
  const revoked = (steps: AuthorityOverview["history"]): number =>
    steps.filter(({ step }) => step === "revoke").length;
  const end = await eventually(
    `${RENEWALS} renewals`,
    async () => {
      const now = await overview();
      return revoked(now.history) >= RENEWALS && now.authorities.length === 1 && now;
    },
    { withinMs: (RENEWALS + 1) * ROOT_LIVES_MS },
  );
  assert.ok(Date.now() - from > ROOT_LIVES_MS, "the first root has ended");
  assert.notEqual(end.authorities[0]?.id, first?.id);
  assert.deepEqual(
    end.history.slice(0, 3).map(({ step, forced }) => `${step}${forced ? " by force" : ""}`),
    ["prepare", "activate", "revoke"],
  );
  assert.deepEqual(
    end.history.filter(({ forced }) => forced),
    [],
  );
  const log = await mesh.read("logs/control-plane.log");
  assert.match(log, /"by":"the renewal of the root"/);
  for (const caller of CALLERS) {
    const file = loadLog(caller);
    const outcomes = await outcomesBetween(file, { from, to: Date.now() - 500 });
    assert.ok(outcomes.length > 1_000, `${caller} sent only ${outcomes.length} requests`);
    assert.deepEqual(outcomes.filter(isFailure), [], caller);
  }
});
