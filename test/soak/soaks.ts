/**
 * Runs the soaks, each as a process of its own: one by name, or all one after the other.
 *
 *     npm run test:soak -- 10
 *     npm run test:soak -- 2 traffic
 */
import { spawnSync } from "node:child_process";

const SOAKS = ["rotation", "traffic"];

const [minutes = "2", name] = process.argv.slice(2);
if (!(Number(minutes) > 0)) throw new Error(`"${minutes}" is not a number of minutes`);
if (name !== undefined && !SOAKS.includes(name))
  throw new Error(`"${name}" is no soak; there are: ${SOAKS.join(", ")}`);

for (const soak of name === undefined ? SOAKS : [name]) {
  console.log(`${soak}:`);
  const { status } = spawnSync(
    process.execPath,
    ["--import", "tsx", `test/soak/${soak}.ts`, minutes],
    { stdio: "inherit" },
  );
  if (status !== 0) process.exitCode = 1;
}
