/**
 * Starts a pod as often as it is told (50 times if not told), one after the other, while others try to reach it: no byte
 * may get in or out before its sidecar is ready, nor ever past it. Says how long a start takes, from the making of the
 * pod to the first instruction of its application.
 *
 *     npm run test:cold-starts -- 1000
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import { eventually } from "../kit/eventually.ts";
import {
  type Account,
  type NamespacesMesh,
  namespacesForbidden,
  openAccount,
  startNamespacesMesh,
} from "../kit/namespaces-mesh.ts";

const DEFAULT_COUNT = 50;
const GOAL_MS = 700;
/** A slow machine may take so many times as long as Node itself takes to start. */
const GOAL_BARE_STARTS = 7;
const PATIENCE_MS = 20_000;
const LOOK_AGAIN_MS = 10;
/** Addresses are given in order: the next pod's is one of so many after the last one's. */
const ADDRESSES_AHEAD = 3;
/** Ended by this where no mesh of namespaces can be had, as tests are skipped. */
const NOT_ALLOWED = 2;

const SOURCE = join(fileURLToPath(import.meta.url), "../../meshes/cold-starts");

interface Arrival {
  readonly at: number;
  readonly from: string;
  readonly connection?: string;
  readonly path?: string;
  readonly certificate?: string;
}

interface Attempts {
  readonly count: number;
  readonly accepted: number;
  readonly since: number;
  readonly got?: { readonly at: number; readonly bytes: string };
}

interface ColdStart {
  readonly pod: string;
  /** From the making of the pod to the first instruction of its application. */
  readonly tookMs: number;
  /** From the change of the file to that instruction. */
  readonly sinceChangeMs: number;
  /** Of `node -e 0`, at about the same time. */
  readonly bareMs: number;
  readonly steps: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

const count = Number(process.argv[2] ?? DEFAULT_COUNT);
if (!(count >= 1)) throw new Error(`"${process.argv[2]}" is not a number of starts`);

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
const account = await openAccount("ordinary");
try {
  process.exitCode = await main(account);
} finally {
  await account.remove();
}

async function main(place: Account): Promise<number> {
  const forbidden = await namespacesForbidden(place);
  if (forbidden !== undefined) {
    console.log(`this machine does not allow it: ${forbidden}`);
    return NOT_ALLOWED;
  }
  const outside = await openOutside();
  const files = join(place.folder, "mesh");
  await copyMesh(place, files);
  const mesh = await startNamespacesMesh(place, { files });
  try {
    await seeStranger(mesh);
    const starts: ColdStart[] = [];
    for (let index = 1; index <= count; index++) {
      const start = await startOnce(mesh, { files, outside, name: `fresh-${index}` });
      starts.push(start);
      for (const fault of start.faults) console.log(`${start.pod}: ${fault}`);
      if (index % 50 === 0) console.log(`${index} of ${count} starts`);
    }
    return tell(starts);
  } finally {
    await mesh.stop();
    outside?.server.close();
  }
}

async function copyMesh(place: Account, to: string): Promise<void> {
  const names = ["listener", "fresh", "caller", "stranger"].map((name) => `programs/${name}.mjs`);
  await mkdir(join(to, "programs"), { recursive: true });
  for (const name of ["mesh.yaml", ...names]) {
    await writeFile(join(to, name), await readFile(join(SOURCE, name)));
  }
  await place.own(to);
}

/** What a fresh pod calls beside the mesh; it answers each with what it said, once that is a name. */
interface Outside {
  readonly server: Server;
  readonly address: string;
  readonly port: number;
  /** By name, when they came. */
  readonly heard: Map<string, number>;
}

/** @returns undefined where the machine has no address but its loopback */
async function openOutside(): Promise<Outside | undefined> {
  const address = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  if (address === undefined) return undefined;
  const heard = new Map<string, number>();
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.on("data", (data) => {
      heard.set(data.toString().trim(), Date.now());
      socket.write(`heard ${data}`);
    });
  });
  await once(server.listen(0, address), "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("a TCP server has a port");
  return { server, address, port: bound.port, heard };
}

/** The stranger must be able to notice an open door, or all that it does not notice says nothing. */
async function seeStranger(mesh: NamespacesMesh): Promise<void> {
  const open = await addressesOf(mesh, "open-0");
  await tellStranger(mesh, open);
  await eventually("the stranger to reach the pod that is open to it", async () => {
    const attempts = await attemptsOf(mesh);
    return open.every((address) => attempts[address]?.got !== undefined) || undefined;
  });
}

async function startOnce(
  mesh: NamespacesMesh,
  what: { readonly files: string; readonly outside: Outside | undefined; readonly name: string },
): Promise<ColdStart> {
  const { files, outside, name } = what;
  const pod = `${name}-0`;
  await tellStranger(mesh, await nextAddresses(mesh));
  await delay(2 * LOOK_AGAIN_MS);
  const bareMs = await bareStart();
  const changedAt = Date.now();
  await replaceFile(join(files, "fresh.yaml"), deployment(name, outside));
  const folder = join(mesh.data, "pods", "starts", pod);
  const outcome = await eventually(`${pod} to say how its calls went`, async () =>
    parse<{ service: string; outside: string }>(await text(join(folder, "tmp/outcome.json"))),
  );
  const answeredAt = await eventually(`${pod} to answer the caller`, async () => {
    const answers = await lines<{ at: number; name: string }>(
      join(mesh.data, "pods/starts/caller-0/tmp/answers.log"),
    );
    return answers.find((answer) => answer.name === pod)?.at;
  });
  await delay(2 * LOOK_AGAIN_MS);
  const madeAt = Number((await stat(folder, { bigint: true })).birthtimeNs) / 1e6;
  const startedAt = Number(await text(join(folder, "tmp/started"))) / 1e6;
  const sidecarAt = sidecarTimes(await mesh.read(`logs/starts/${pod}/sidecar.log`));
  const steps = {
    certificate: sidecarAt.certificate - madeAt,
    view: sidecarAt.view - madeAt,
    first: startedAt - madeAt,
    answered: answeredAt - madeAt,
  };
  const tookMs = startedAt - madeAt;
  const faults = [
    ...(tookMs > 0 && tookMs < PATIENCE_MS ? [] : [`a start cannot take ${tookMs} ms`]),
    ...(startedAt < sidecarAt.view
      ? ["its application started before its sidecar had a view"]
      : []),
    ...(await faultsOfOutgoing(mesh, { pod, outcome, outside })),
    ...(await faultsOfIncoming(mesh, { pod, readyAt: sidecarAt.view, startedAt })),
  ];
  return { pod, tookMs, sinceChangeMs: startedAt - changedAt, bareMs, steps, faults };
}

/** What the application sent at its first instruction: all of it must have gone through its sidecar. */
async function faultsOfOutgoing(
  mesh: NamespacesMesh,
  what: {
    readonly pod: string;
    readonly outcome: { readonly service: string; readonly outside: string };
    readonly outside: Outside | undefined;
  },
): Promise<readonly string[]> {
  const { pod, outcome, outside } = what;
  const faults: string[] = [];
  if (outcome.service !== "200 target-0") faults.push(`its call of a service: ${outcome.service}`);
  const arrivals = await lines<Arrival>(join(mesh.data, "pods/starts/target-0/tmp/arrivals.log"));
  const arrived = arrivals.find(({ path }) => path === `/${pod}`);
  if (!arrived?.certificate?.includes("/ns/starts/sa/fresh"))
    faults.push(`it called without its identity: ${JSON.stringify(arrived)}`);
  if (outside === undefined) return faults;
  if (outcome.outside.trim() !== `heard ${pod}`)
    faults.push(`its call outside: ${outcome.outside}`);
  if (!outside.heard.has(pod)) faults.push("its call outside was not heard there");
  const log = `logs/starts/${pod}/access.log`;
  const target = `${outside.address}:${outside.port}`;
  const logged = await eventually(`${pod}'s sidecar to log the call outside`, async () => {
    const entries = (await lines<AccessLogEntry>(join(mesh.data, log))) ?? [];
    return entries.find((entry) => entry.downstream_local_address === target) !== undefined
      ? "logged"
      : undefined;
  }).catch(() => "missing");
  if (logged === "missing") faults.push("its call outside went past its sidecar");
  return faults;
}

/** What came to the application: all of it from its sidecar, with an identity, and nothing for the stranger. */
async function faultsOfIncoming(
  mesh: NamespacesMesh,
  what: { readonly pod: string; readonly readyAt: number; readonly startedAt: number },
): Promise<readonly string[]> {
  const { pod, readyAt, startedAt } = what;
  const faults: string[] = [];
  const arrivals = await lines<Arrival>(join(mesh.data, `pods/starts/${pod}/tmp/arrivals.log`));
  if (arrivals.length === 0) faults.push("nothing came to it");
  for (const arrival of arrivals) {
    const told = JSON.stringify(arrival);
    if (arrival.at < readyAt) faults.push(`something came too early: ${told}`);
    if (!/^(?:::ffff:127\.0\.0\.6|::6)$/.test(arrival.from))
      faults.push(`something came past its sidecar: ${told}`);
    if (arrival.connection === undefined && !arrival.certificate?.includes("/ns/starts/sa/"))
      faults.push(`somebody came without an identity: ${told}`);
  }
  const attempts = await attemptsOf(mesh);
  for (const address of await addressesOf(mesh, pod)) {
    const tried = attempts[address];
    if (tried === undefined || tried.since > startedAt)
      faults.push(`the stranger did not try ${address} in time`);
    if (tried?.got !== undefined)
      faults.push(`the stranger got an answer from ${address}: ${JSON.stringify(tried.got)}`);
  }
  return faults;
}

function tell(starts: readonly ColdStart[]): number {
  const took = starts.map(({ tookMs }) => tookMs);
  const bare = percentile(
    starts.map(({ bareMs }) => bareMs),
    0.5,
  );
  const goal = Math.max(GOAL_MS, GOAL_BARE_STARTS * bare);
  const p95 = percentile(took, 0.95);
  const stepNames = Object.keys(starts[0]?.steps ?? {});
  console.log(`bare "node -e 0": median ${bare.toFixed(0)} ms`);
  console.log(`start, from the pod's making to the first instruction: ${distribution(took)}`);
  console.log(
    `start, from the file's change: ${distribution(starts.map((one) => one.sinceChangeMs))}`,
  );
  for (const name of stepNames) {
    console.log(`  to "${name}": ${distribution(starts.map(({ steps }) => steps[name] ?? 0))}`);
  }
  const verdict = p95 <= goal ? "holds" : "falls short";
  console.log(`cold start p95: ${p95.toFixed(0)} ms (goal <= ${goal.toFixed(0)} ms) ${verdict}`);
  const faults = starts.flatMap((start) => start.faults);
  console.log(`${starts.length} starts, ${faults.length} faults`);
  return faults.length === 0 ? 0 : 1;
}

function distribution(values: readonly number[]): string {
  const at = (share: number): string => percentile(values, share).toFixed(0);
  return `median ${at(0.5)}, p90 ${at(0.9)}, p95 ${at(0.95)}, p99 ${at(0.99)}, most ${at(1)} ms`;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

async function bareStart(): Promise<number> {
  const since = performance.now();
  const child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore" });
  await once(child, "exit");
  return performance.now() - since;
}

/** The first instruction of its application tells the time, in nanoseconds. */
function deployment(name: string, outside: Outside | undefined): string {
  const target = outside === undefined ? "" : ` ${outside.address} ${outside.port}`;
  const script = `date +%s%N > /tmp/started; exec node programs/fresh.mjs${target}`;
  return `apiVersion: v1
kind: ServiceAccount
metadata:
  name: fresh
  namespace: starts
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: starts
spec:
  selector:
    matchLabels: {app: fresh}
  template:
    metadata:
      labels: {app: fresh}
    spec:
      serviceAccountName: fresh
      containers:
      - name: fresh
        image: node:20
        command: ["sh", "-c", "${script}"]
        ports:
        - containerPort: 8080
`;
}

function sidecarTimes(log: string): { readonly certificate: number; readonly view: number } {
  const at = (message: string): number => {
    const line = log.split("\n").find((one) => one.includes(`"${message}"`));
    return Date.parse(parse<{ time: string }>(line ?? "")?.time ?? "");
  };
  return { certificate: at("certificate issued"), view: at("view received") };
}

async function addressesOf(mesh: NamespacesMesh, pod: string): Promise<readonly string[]> {
  const { workloads } = await mesh.state();
  const addresses = workloads.find(({ name }) => name === pod)?.addresses;
  return addresses === undefined ? [] : [addresses.ipv4, addresses.ipv6];
}

/** Those that the pod to come may get. */
async function nextAddresses(mesh: NamespacesMesh): Promise<readonly string[]> {
  const { workloads } = await mesh.state();
  const numbers = workloads.map(({ addresses }) => {
    const [third = 0, fourth = 0] = (addresses?.ipv4 ?? "").split(".").slice(2).map(Number);
    return third * 256 + fourth;
  });
  const last = Math.max(...numbers);
  return Array.from({ length: ADDRESSES_AHEAD }, (_, ahead) => last + 1 + ahead).flatMap(
    (number) => [`10.244.${number >> 8}.${number & 255}`, `fd00:10:244::${number.toString(16)}`],
  );
}

async function tellStranger(mesh: NamespacesMesh, addresses: readonly string[]): Promise<void> {
  const file = join(mesh.data, "pods/outside/stranger-0/tmp/addresses");
  await replaceFile(file, addresses.join("\n"));
}

async function attemptsOf(mesh: NamespacesMesh): Promise<Readonly<Record<string, Attempts>>> {
  const file = "pods/outside/stranger-0/tmp/attempts.json";
  return parse<Record<string, Attempts>>(await mesh.read(file)) ?? {};
}

async function replaceFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.part`, content);
  await rename(`${file}.part`, file);
}

/** Empty when it is not there. */
function text(file: string): Promise<string> {
  return readFile(file, "utf8").catch(() => "");
}

async function lines<T>(file: string): Promise<readonly T[]> {
  const all = (await text(file)).split("\n");
  return all.flatMap((line) => parse<T>(line) ?? []);
}

/** @returns undefined for what is not whole */
function parse<T>(json: string): T | undefined {
  try {
    return JSON.parse(json) as T;
  } catch {
    return undefined;
  }
}
