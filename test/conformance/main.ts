/**
 * `npm run conformance -- [DIR [SUITE]] [--enforced] [--excluded]`: cases of upstream projects, which nobody of this one
 * wrote.
 */
import { join } from "node:path";
import { EnforcedMesh } from "./enforced-mesh.ts";
import { enforcedNetworkpolicy } from "./enforced-networkpolicy.ts";
import { runConformance } from "./run-conformance.ts";

const BESIDE_THE_REPOSITORY = join(import.meta.dirname, "../../../shared/conformance");
/** Between real pods, as the kernel lets them: `npm run build` comes first. */
const ENFORCED = "--enforced";

/** Names every case that a rule excludes, with the rule. */
const EXCLUDED = "--excluded";

const all = process.argv.slice(2);
const [directory = BESIDE_THE_REPOSITORY, suite] = all.filter(
  (one) => one !== ENFORCED && one !== EXCLUDED,
);
const excluded = all.includes(EXCLUDED) ? "named" : "counted";
process.exitCode = all.includes(ENFORCED)
  ? await runEnforced()
  : await runConformance({ directory, suite, excluded }, console.log);

async function runEnforced(): Promise<number> {
  const mesh = new EnforcedMesh();
  const runners = { networkpolicy: enforcedNetworkpolicy(mesh) };
  try {
    return await runConformance({ directory, suite, runners, note: "enforced" }, console.log);
  } finally {
    await mesh.close();
  }
}
