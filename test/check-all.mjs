/**
 * `npm test`: lint, types and the fast tier side by side, because tests wait where the others compute. What lint and types
 * find is printed as soon as it is known, and again in one line at the end.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

const failed = [];

async function check(script) {
  const child = spawn("npm", ["run", "--silent", script], { stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => said.push(part));
  const [status] = await once(child, "close");
  if (status === 0) return;
  failed.push(script);
  console.error(`\n${Buffer.concat(said)}\nnpm run ${script} failed\n`);
}

async function runTests() {
  const child = spawn(process.execPath, ["test/run-tests.mjs"], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
  const [status] = await once(child, "close");
  if (status !== 0) failed.push("test");
}

await Promise.all([check("lint"), check("typecheck"), runTests()]);
if (failed.length > 0) console.error(`failed: ${failed.join(", ")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
