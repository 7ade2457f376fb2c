/**
 * Generated policies and calls to the engine, the embedded sidecar and real Envoy, which must agree, beside listed
 * explanations. Afterwards a translator with known defects is put in the place of ours: each must be found.
 *
 *     npm run test:differential -- [--requests 100000] [--seed 1] [--minutes 2]
 */
import { parseArgs } from "node:util";
import { findOrFetchEnvoy } from "../kit/envoy-program.ts";
import { startApplication } from "./application.ts";
import { EnvoyLane } from "./envoy-lane.ts";
import { plantDefects } from "./plant-defects.ts";
import { runComparison } from "./run-comparison.ts";
import { openSidecarLane } from "./sidecar-lane.ts";

const SIDECARS = 4;
const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    defects: { type: "string", default: "planted" },
    minutes: { type: "string" },
  },
});
const [requests, seed] = [Number(values.requests), Number(values.seed)];
const minutes = values.minutes === undefined ? Infinity : Number(values.minutes);
if (!(requests > 0) || !Number.isInteger(seed) || !(minutes > 0))
  throw new Error("expected: [--requests COUNT] [--seed NUMBER] [--minutes NUMBER]");

const end = performance.now() + minutes * MINUTE_MS;
const application = await startApplication();
const sidecars = await Promise.all(
  Array.from({ length: SIDECARS }, () => openSidecarLane(application)),
);
try {
  const program = findOrFetchEnvoy();
  console.log(`Envoy ${program.version}, seed ${seed}`);
  const lanes = { envoy: new EnvoyLane(program, application), sidecars };
  const allFound =
    values.defects === "none" || (await plantDefects(lanes, { seed, print: console.log }));
  const agreed = await runComparison(lanes, { requests, seed, end, print: console.log });
  process.exitCode = allFound && agreed ? 0 : 1;
} finally {
  await Promise.all(sidecars.map((lane) => lane.close()));
  application.close();
}
