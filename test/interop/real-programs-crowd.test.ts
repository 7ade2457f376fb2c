/** Thousands of connections that idle in two sidecars, and what each costs there; then a hundred of them are used again. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { type RunningCommand, startHauberk, untilSaid } from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { buildRealPrograms, type ProgramsMesh, startProgramsMesh } from "../kit/programs-mesh.ts";
import { residentMemory } from "../kit/resident-memory.ts";

const skip = missingParts("go");

/**
 * At a port of HTTP a connection is one descriptor of the caller's sidecar, and those between the sidecars are few. At a
 * port of TCP it is two descriptors and half a mutual TLS connection of each sidecar.
 */
const CROWDS = [
  { port: "HTTP", connections: 10_000, descriptors: 10_500, mostKib: { caller: 40, callee: 10 } },
  { port: "TCP", connections: 4_000, descriptors: 8_500, mostKib: { caller: 160, callee: 160 } },
] as const;
const IDLE_MS = 15_000;
const GATHERING_MS = 150_000;

describe("connections that idle", { skip }, () => {
  let program: string;
  let mesh: ProgramsMesh;

  before(
    async () => {
      program = await buildRealPrograms();
      mesh = await startProgramsMesh("servers", program);
    },
    { timeout: 280_000 },
  );
  after(() => mesh?.stop());

  for (const { port, connections, descriptors, mostKib } of CROWDS) {
    const name = `crowd-${port.toLowerCase()}`;
    const title = `${connections} connections at a port declared ${port}`;
    test(title, { timeout: GATHERING_MS + 60_000 }, async (context) => {
      const limit = await descriptorLimit();
      if (limit < descriptors) return context.skip(`only ${limit} descriptors a process`);
      const callee = await mesh.sidecarOf("web-0");
      const fresh = (await residentMemory(await mesh.sidecarOf("stranger-0"))).now;
      const before = (await residentMemory(callee)).now;
      const crowd = gather(name, [port, `${connections}`, `${IDLE_MS}ms`]);
      try {
        await untilSaid(crowd, /gathered \d+ in \d+ ms/, { withinMs: GATHERING_MS });
        const caller = await mesh.sidecarOf(`${name}-0`);
        const costs = {
          caller: ((await residentMemory(caller)).now - fresh) * (1_024 / connections),
          callee: ((await residentMemory(callee)).now - before) * (1_024 / connections),
        };
        await untilSaid(crowd, /asked 100 in \d+ ms/);
        const told = crowd.output().trim().replaceAll("\n", ", ");
        const each = `${costs.caller.toFixed(1)} KiB each in the caller's sidecar`;
        console.log(`${port}: ${told}; ${each}, ${costs.callee.toFixed(1)} KiB in the callee's`);
        assert.ok(costs.caller < mostKib.caller, `more than ${mostKib.caller} KiB`);
        assert.ok(costs.callee < mostKib.callee, `more than ${mostKib.callee} KiB`);
      } finally {
        crowd.stop();
      }
    });
  }

  function gather(name: string, parameters: readonly string[]): RunningCommand {
    const joining = ["--name", name, "--namespace", "shop", "--service-account", "caller"];
    const { data } = mesh.mesh;
    return startHauberk(["run", ...joining, "--data", data, "--", program, "crowd", ...parameters]);
  }
});

/** Of this process, and so of those that it starts. */
async function descriptorLimit(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8");
  const [, hard = "0"] = /^Max open files\s+\d+\s+(\d+)/m.exec(limits) ?? [];
  return Number(hard);
}
