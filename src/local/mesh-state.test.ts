import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readMeshState } from "./mesh-state.ts";

const SUPERVISOR = { processId: 1, startedAt: "24" }; // in a container `up` may be the first process
const PROCESS = { title: "control plane", processId: 77, startedAt: "24" };
const STATE = {
  format: 2,
  supervisor: SUPERVISOR,
  cluster: "Kubernetes",
  controlPlane: "127.0.0.1:1",
  socket: "",
  workloads: [],
  processes: [PROCESS],
};

/** Each would send a signal to others than one process and what it started, or could be a list of guesses. */
const REFUSED: readonly (readonly [what: string, change: object])[] = [
  ["every process of the user", { processes: [{ ...PROCESS, processId: 1 }] }],
  ["the group of whoever asks", { processes: [{ ...PROCESS, processId: 0 }] }],
  ["a negative number", { processes: [{ ...PROCESS, processId: -77 }] }],
  ["a broken number", { processes: [{ ...PROCESS, processId: 77.5 }] }],
  ["a text", { processes: [{ ...PROCESS, processId: "self" }] }],
  ["nothing", { processes: [null] }],
  ["no start", { processes: [{ title: "x", processId: 77 }] }],
  ["guesses of a start", { processes: [PROCESS, { ...PROCESS, startedAt: "25" }] }],
  [
    "more than there can be",
    { processes: Array.from({ length: 40_000 }, (_, at) => ({ ...PROCESS, processId: at + 2 })) },
  ],
  ["no list", { processes: { length: 1 } }],
  ["a supervisor that is no process", { supervisor: { processId: -1, startedAt: "24" } }],
  ["no supervisor", { supervisor: null }],
  ["no workloads", { workloads: undefined }],
];

async function readBack(state: object): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  try {
    const file = join(folder, "mesh.json");
    await writeFile(file, JSON.stringify(state));
    return await readMeshState(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the state of a mesh is read as it was written", async () => {
  assert.deepEqual(await readBack(STATE), STATE);
  assert.equal(await readBack({ ...STATE, format: 1 }), undefined);
});

for (const [what, change] of REFUSED) {
  test(`a state file whose processes are ${what} is refused`, async () => {
    await assert.rejects(readBack({ ...STATE, ...change }), { code: "HAUBERK_UNREADABLE_STATE" });
  });
}
