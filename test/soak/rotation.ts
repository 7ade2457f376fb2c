/**
 * Ten workloads under load with certificates of 60 seconds, for as many minutes as it is told (2 if not told), while the
 * root is replaced through all phases and back from each: every request must succeed, half of them on new connections,
 * every sidecar must have renewed as often as half-lives have passed, and the first root must be trusted no more.
 *
 *     npm run test:soak -- 10
 */
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { runHauberk } from "../kit/hauberk-command.ts";
import { runMesh } from "../kit/running-mesh.ts";
import { isFailure, outcomesBetween, type RequestOutcome } from "../kit/steady-load.ts";

const LIFETIME_SECONDS = 60;
/** Of all callers together. */
const REQUESTS_PER_SECOND = 200;
const CALLEES = ["one", "two", "three", "four", "five"];
const CALLERS = CALLEES.map((callee) => `calls-${callee}`);
const SIDECARS = [...CALLEES, ...CALLERS];
const MINUTE_MS = 60_000;
/** Between the steps of a rotation, so that each phase meets some load. */
const PHASE_MS = 3_000;
/** Back from each phase, and at last through all of them. */
const ROTATION: readonly string[] = [
  ...["prepare", "rollback"],
  ...["prepare", "activate", "rollback", "taint", "revoke"],
  ...["prepare", "activate", "taint", "rollback", "taint", "revoke"],
  ...["prepare", "activate", "taint", "revoke"],
];

const HEAD = `apiVersion: v1
kind: Namespace
metadata: {name: pairs, labels: {istio-injection: enabled}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
`;

const minutes = Number(process.argv[2] ?? 2);
if (!(minutes > 0)) throw new Error(`"${process.argv[2]}" is not a number of minutes`);

const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
const files = join(folder, "mesh");
const mesh = await startMesh();
try {
  await delay(3_000);
  const from = Date.now();
  const firstRoots = await trustedRoots();
  const refused = await rotate();
  while (Date.now() - from < minutes * MINUTE_MS) {
    await delay(Math.min(0.5 * MINUTE_MS, from + minutes * MINUTE_MS - Date.now()));
    console.log(`${((Date.now() - from) / MINUTE_MS).toFixed(1)} of ${minutes} minutes`);
  }
  const faults = refused + (await judgeRoots(firstRoots)) + (await judge(from, Date.now() - 1_000));
  console.log(faults === 0 ? "passed" : `${faults} faults`);
  process.exitCode = faults === 0 ? 0 : 1;
} finally {
  await mesh.stop();
  if (process.exitCode === 0) await rm(folder, { recursive: true, force: true });
  else console.log(`the logs of all are kept in ${folder}`);
}

async function startMesh(): ReturnType<typeof runMesh> {
  await mkdir(files, { recursive: true });
  for (const program of ["server.js", "load.js"]) {
    await cp(join("test/meshes/pairs", program), join(files, program));
  }
  await writeFile(join(files, "mesh.yaml"), [HEAD, ...CALLEES.map(pairOf)].join("---\n"));
  await writeFile(
    join(files, "mesh-config.yaml"),
    `meshConfig:\n  defaultConfig:\n    proxyMetadata:\n      SECRET_TTL: ${LIFETIME_SECONDS}s\n`,
  );
  return runMesh([files], join(folder, "data"));
}

/** @returns how many steps were refused */
async function rotate(): Promise<number> {
  let faults = 0;
  for (const step of ROTATION) {
    const wait = step === "rollback" ? [] : ["--wait", "2m"];
    const begun = Date.now();
    const { code, output, errors } = await runHauberk(["ca", step, "--data", mesh.data, ...wait]);
    console.log(`${step}: exit code ${code} after ${((Date.now() - begun) / 1_000).toFixed(1)} s`);
    if (code !== 0) {
      console.log(output + errors);
      faults++;
    }
    await delay(PHASE_MS);
  }
  return faults;
}

async function trustedRoots(): Promise<readonly string[]> {
  const { output } = await runHauberk([
    "proxy-config",
    "secret",
    "one-0.pairs",
    "--data",
    mesh.data,
  ]);
  return output.split("\n").filter((line) => line.startsWith("ROOTCA"));
}

async function judgeRoots(first: readonly string[]): Promise<number> {
  const last = await trustedRoots();
  const replaced = first.length === 1 && last.length === 1 && first[0] !== last[0];
  console.log(replaced ? "the first root is trusted no more" : `roots: ${[...first, ...last]}`);
  return replaced ? 0 : 1;
}

async function judge(from: number, to: number): Promise<number> {
  let faults = 0;
  const perCaller = REQUESTS_PER_SECOND / CALLERS.length;
  for (const caller of CALLERS) {
    const log = join(mesh.data, "logs/pairs", `${caller}-0`, "load.log");
    const outcomes = await outcomesBetween(log, { from, to });
    const failed = outcomes.filter(isFailure);
    const fresh = outcomes.filter(({ kept }) => !kept).length;
    const perSecond = Math.round((outcomes.length * 1000) / (to - from));
    console.log(
      `${caller}: ${outcomes.length} requests (${perSecond} a second, ${fresh} on new connections), ${failed.length} failed`,
    );
    for (const outcome of failed.slice(0, 5)) {
      console.log(`  ${JSON.stringify(outcome)}; ${neighboursOf(outcome, outcomes)}`);
    }
    if (failed.length > 0 || perSecond < perCaller * 0.8) faults++;
  }
  const expected = Math.floor((to - from) / 1000 / (LIFETIME_SECONDS / 2)) - 1;
  for (const owner of SIDECARS) {
    const log = await mesh.read(join("logs/pairs", `${owner}-0`, "sidecar.log"));
    const renewals = log.split('"certificate renewed"').length - 1;
    console.log(`${owner}: ${renewals} renewals (at least ${expected} expected)`);
    if (renewals < expected) faults++;
  }
  return faults;
}

/** Where all are slow it was the machine; where one alone is, it was the mesh. */
function neighboursOf(failed: RequestOutcome, all: readonly RequestOutcome[]): string {
  const beside = all.filter(({ sentAt }) => Math.abs(sentAt - failed.sentAt) < 1_000);
  const slow = beside.filter(({ ms }) => ms > 500);
  return `within a second of it ${slow.length} of ${beside.length} took more than 500 ms`;
}

function pairOf(callee: string): string {
  const rate = REQUESTS_PER_SECOND / CALLERS.length;
  return `apiVersion: v1
kind: Service
metadata: {name: ${callee}, namespace: pairs}
spec: {selector: {app: ${callee}}, ports: [{name: http, port: 8080}]}
---
${deployment(callee, `{name: server, image: node, command: ["node", "server.js"], ports: [{containerPort: 8080}]}`)}
---
${deployment(`calls-${callee}`, `{name: load, image: node, command: ["node", "load.js", "${callee.toUpperCase()}"], env: [{name: REQUESTS_PER_SECOND, value: "${rate}"}]}`)}
`;
}

function deployment(name: string, container: string): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: pairs}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      serviceAccountName: ${name}
      containers:
      - ${container}`;
}
