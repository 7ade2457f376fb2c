/**
 * `npm run bench -- apply`: how long a change among 10,000 authorization rules takes from the write until the pod's proxy judges
 * by it, with Envoy and with our sidecar: all of them written to a file, one policy more, one rule less, and a DENY by the API.
 */
import { arch, cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { type Target, tellTargets } from "../goals.ts";
import type { DataPlane } from "../revocation/revocation-mesh.ts";
import { API, type AppliedMesh, startAppliedMesh } from "./applied-mesh.ts";
import { manyPolicies, onlyPolicy } from "./many-policies.ts";

const PLANES: readonly DataPlane[] = ["Envoy", "our sidecar"];
const ALLOWED = 200;
const REFUSED = 403;
/** From the write to the first answer by it, in milliseconds; Envoy takes a second by itself to take so many over. */
const GOALS: Readonly<Record<DataPlane, Readonly<Record<keyof Applied, number>>>> = {
  Envoy: { all: 15_000, added: 5_000, removed: 5_000, denied: 3_000 },
  "our sidecar": { all: 10_000, added: 2_000, removed: 2_000, denied: 1_000 },
};
const WORDS: Readonly<Record<keyof Applied, string>> = {
  all: "all rules, to a file that had one",
  added: "one policy more, to the file",
  removed: "one policy less",
  denied: "a DENY, to the API server",
};

interface Applied {
  readonly all: readonly number[];
  readonly added: readonly number[];
  readonly removed: readonly number[];
  readonly denied: readonly number[];
}

/** @param args `--rules N` (10000), `--per-policy N` (10), `--trials N` (3), `--only envoy` or `--only sidecar` */
export async function benchApply(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rules: { type: "string", default: "10000" },
      "per-policy": { type: "string", default: "10" },
      trials: { type: "string", default: "3" },
      only: { type: "string", default: "" },
    },
  });
  const print = (line: string): void => console.log(line);
  const perPolicy = Number(values["per-policy"]);
  const policies = manyPolicies(Number(values.rules), { ...API, perPolicy });
  print(`${cpus().length} x ${cpus()[0]?.model ?? arch()}, load ${loadavg()[0]?.toFixed(1)}`);
  const size = (Buffer.byteLength(policies) / 1e6).toFixed(1);
  print(`${values.rules} rules, ${perPolicy} in a policy, ${size} MB; milliseconds from the write`);
  const targets: Target[] = [];
  for (const plane of PLANES) {
    if (!plane.toLowerCase().endsWith(values.only)) continue;
    const applied = await measure(plane, policies, Number(values.trials));
    for (const [what, words] of Object.entries(WORDS) as [keyof Applied, string][]) {
      const figures = applied[what];
      print(`${plane}: ${words}: ${figures.map((ms) => ms.toFixed(0)).join(", ")}`);
      const name = `${plane}: ${words}`;
      const figure = Math.max(...figures);
      targets.push({ name, figure, unit: " ms", bound: "at most", goal: GOALS[plane][what] });
    }
  }
  return targets.length > 0 && tellTargets(targets, print) ? 0 : 1;
}

async function measure(plane: DataPlane, policies: string, trials: number): Promise<Applied> {
  const only = onlyPolicy(API);
  const applied: Record<keyof Applied, number[]> = { all: [], added: [], removed: [], denied: [] };
  const mesh = await startAppliedMesh(plane, only);
  try {
    for (let trial = 0; trial < trials; trial++) {
      await mesh.answered(ALLOWED);
      applied.all.push(await writing(mesh, policies, REFUSED));
      const more = `${policies}---\n${only}`;
      applied.added.push(await writing(mesh, more, ALLOWED));
      applied.removed.push(await writing(mesh, policies, REFUSED));
      await writing(mesh, more, ALLOWED);
      applied.denied.push(await denying(mesh));
      await writing(mesh, policies, REFUSED); // so that it is seen when there is one again
      await writing(mesh, only, ALLOWED);
    }
    return applied;
  } finally {
    await mesh.stop();
  }
}

/** @returns milliseconds until a request is answered with this status */
async function writing(mesh: AppliedMesh, policies: string, status: number): Promise<number> {
  const begun = performance.now();
  await mesh.write(policies);
  return (await mesh.answered(status)) - begun;
}

async function denying(mesh: AppliedMesh): Promise<number> {
  await mesh.denial.expectNone();
  const begun = performance.now();
  const [at] = await Promise.all([mesh.answered(REFUSED), mesh.denial.create()]);
  await mesh.denial.remove();
  await mesh.answered(ALLOWED);
  return at - begun;
}
