/**
 * `npm run conformance -- [DIR [SUITE]] [--enforced] [--excluded] [--proxy embedded|envoy]`: cases of upstream projects,
 * which nobody of this one wrote.
 */
import { join } from "node:path";
import { EnforcedMesh } from "./enforced-mesh.ts";
import { enforcedNetworkpolicy } from "./enforced-networkpolicy.ts";
import { runConformance } from "./run-conformance.ts";
import { DATA_PLANES } from "./security-e2e/data-planes.ts";
import { securityE2eByProxies } from "./security-e2e/security-e2e-by-proxies.ts";

const BESIDE_THE_REPOSITORY = join(import.meta.dirname, "../../../shared/conformance");
/** Between real pods, as the kernel lets them: `npm run build` comes first. */
const ENFORCED = "--enforced";

/** Names every case that a rule excludes, with the rule. */
const EXCLUDED = "--excluded";

/** Cases of `security-e2e` are carried whole, by proxies of this kind. */
const PROXY = "--proxy";

const all = process.argv.slice(2);
const at = all.indexOf(PROXY);
const proxy = at < 0 ? undefined : (all[at + 1] ?? "");
const [directory = BESIDE_THE_REPOSITORY, suite] = all.filter(
  (one, index) => ![ENFORCED, EXCLUDED, PROXY].includes(one) && (at < 0 || index !== at + 1),
);
const excluded = all.includes(EXCLUDED) ? "named" : "counted";
if (proxy !== undefined) process.exitCode = await runByProxies(proxy);
else if (all.includes(ENFORCED)) process.exitCode = await runEnforced();
else process.exitCode = await runConformance({ directory, suite, excluded }, console.log);

async function runByProxies(kind: string): Promise<number> {
  const startProxy = DATA_PLANES.get(kind);
  if (startProxy === undefined) {
    console.error(`${PROXY}: expected ${[...DATA_PLANES.keys()].join(" or ")}`);
    return 2;
  }
  const carried = securityE2eByProxies(startProxy);
  const runners = { "security-e2e": carried.runner };
  const note = `by ${kind} proxies`;
  try {
    return await runConformance({ directory, suite, runners, note, excluded }, console.log);
  } finally {
    await carried.close();
  }
}

async function runEnforced(): Promise<number> {
  const mesh = new EnforcedMesh();
  const runners = { networkpolicy: enforcedNetworkpolicy(mesh) };
  try {
    return await runConformance({ directory, suite, runners, note: "enforced" }, console.log);
  } finally {
    await mesh.close();
  }
}
