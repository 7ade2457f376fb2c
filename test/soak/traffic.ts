/**
 * Requests of all kinds at 60 % of what the mesh can carry, for as many minutes as it is told (2 if not told), while each
 * second something changes: policies, certificates, endpoints, and processes that are killed. Only requests that were
 * with a killed process may fail, each with the right flag; policies must be in force; memory must not grow.
 *
 *     npm run test:soak -- 10 traffic
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AccessLogFollowers } from "./traffic/access-log-follower.ts";
import { Changes } from "./traffic/changes.ts";
import { type Fault, type Judgement, judgeFailures } from "./traffic/judge-failures.ts";
import { type LoadLog, readLoadLog, type Second } from "./traffic/load-log.ts";
import { MemoryWatch } from "./traffic/memory-slope.ts";
import { SoakMesh } from "./traffic/soak-mesh.ts";

const MINUTE_MS = 60_000;
const PROGRESS_MS = 0.5 * MINUTE_MS;
/** From then on memory is to stay as it is. */
const SETTLED_MINUTES = 3;
/** What is shorter tells little: its slopes are printed only. */
const LEAST_MINUTES = 8;
const MOST_PERCENT = 0.5;
const CLIENT = "client-0";
const PODS = [CLIENT, "shop-0", "shop-1", "shop-2", "stock-0", "stock-1"];
/** Neither they nor their sidecars are ever taken away. */
const LASTING = [CLIENT, "shop-0", "shop-1", "stock-0"];
/** Each sidecar renews its certificate at half of its life. */
const RENEWAL_SECONDS = 10;
/** Of each kind, faults that are printed with all that is known. */
const PRINTED = 3;

const minutes = Number(process.argv[2] ?? 2);
if (!(minutes > 0)) throw new Error(`"${process.argv[2]}" is not a number of minutes`);

const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
const mesh = await SoakMesh.start(folder);
const changes = new Changes(mesh);
const memory = new MemoryWatch(() => mesh.sidecars());
const accessLogs = new AccessLogFollowers(
  new Map(PODS.map((pod) => [pod, mesh.logOf(pod, "access.log")])),
);
let faults: number;
try {
  const { saturation, perSecond } = await untilFound();
  console.log(`saturation: ${saturation} requests a second; ${perSecond} from now on`);
  memory.start();
  changes.start();
  await tellProgress(Date.now());
  memory.stop();
  await changes.stop();
  await delay(1_000);
  await accessLogs.stop();
  faults = judgeMemory() + judgeRequests(await readLoadLog(loadLog()));
  faults += await judgeRenewals();
} catch (error) {
  console.log(`the logs of all are kept in ${folder}`);
  throw error;
} finally {
  await mesh.mesh.stop();
}
console.log(faults === 0 ? "passed" : `${faults} faults`);
process.exitCode = faults === 0 ? 0 : 1;
if (faults === 0) await rm(folder, { recursive: true, force: true });
else console.log(`the logs of all are kept in ${folder}`);

function loadLog(): string {
  return mesh.logOf(CLIENT, "load.log");
}

async function untilFound(): Promise<NonNullable<LoadLog["found"]>> {
  for (let seconds = 0; seconds < 60; seconds++) {
    const { found } = await readLoadLog(loadLog());
    if (found !== undefined) return found;
    await delay(1_000);
  }
  throw new Error("the client did not come so far as to find saturation");
}

async function tellProgress(from: number): Promise<void> {
  const end = from + minutes * MINUTE_MS;
  for (let last = from; Date.now() < end; last = Date.now()) {
    await delay(Math.min(PROGRESS_MS, end - Date.now()));
    const { seconds } = await readLoadLog(loadLog());
    const done = ((Date.now() - from) / MINUTE_MS).toFixed(1);
    const late = seconds.filter(({ second }) => second > last);
    console.log(`${done} of ${minutes} minutes, ${changes.count} changes: ${summary(late)}`);
  }
}

function summary(seconds: readonly Second[]): string {
  const sum = (of: (second: Second) => number): number =>
    seconds.reduce((total, each) => total + of(each), 0);
  const most = (of: (second: Second) => number): number => Math.max(0, ...seconds.map(of));
  const middle = (of: (second: Second) => number): number =>
    seconds.map(of).sort((one, other) => one - other)[Math.floor(seconds.length / 2)] ?? 0;
  const times = `p50 ${middle(({ p50 }) => p50)} ms, p99 ${middle(({ p99 }) => p99)} ms`;
  const counts = `${sum(({ sent }) => sent)} sent, ${sum(({ failed }) => failed)} failed or denied`;
  return `${counts}, ${sum(({ shed }) => shed)} not sent; ${times}, slowest ${most((second) => second.most)} ms`;
}

function judgeMemory(): number {
  const isJudged = minutes >= LEAST_MINUTES;
  const slopes = memory.slopes(isJudged ? SETTLED_MINUTES : minutes * 0.4);
  let excessive = 0;
  for (const [pod, { first, last, percent }] of slopes) {
    const isTooMuch = isJudged && percent > MOST_PERCENT;
    if (isTooMuch) excessive++;
    const sizes = `${first.toFixed(1)} MiB at first, ${last.toFixed(1)} MiB at last`;
    console.log(
      `${pod}: ${sizes}, ${percent.toFixed(2)} % a minute${isTooMuch ? ": too much" : ""}`,
    );
  }
  return excessive;
}

function judgeRequests({ seconds, told, oddities }: LoadLog): number {
  const judgement = judgeFailures({ changes, told, accessLogs });
  console.log(`in all: ${summary(seconds)}`);
  tell(judgement);
  for (const { text } of oddities.slice(0, 20)) console.log(`the client said: ${text}`);
  const others = [...changes.problems, ...complaints(seconds, judgement)];
  for (const other of others) console.log(`FAULT: ${other}`);
  return judgement.faults.length + oddities.length + others.length;
}

function complaints(seconds: readonly Second[], { denied }: Judgement): readonly string[] {
  const found = changes.kills
    .filter(({ backAt }) => backAt === undefined)
    .map(({ pod, part }) => `${pod} ${part} did not come back`);
  const sum = (of: (second: Second) => number): number =>
    seconds.reduce((total, each) => total + of(each), 0);
  const shed = sum((second) => second.shed);
  if (shed > 0) found.push(`${shed} were not sent, because so many had no answer yet`);
  if (denied === 0) found.push("no policy has denied anything");
  const sent = sum((second) => second.sent);
  const logged = accessLogs.requestsOf(CLIENT);
  console.log(`${logged} requests in the log of the client's sidecar`);
  const unanswered = seconds.at(-1)?.outstanding ?? 0;
  if (logged < sent - unanswered) found.push(`${sent} were sent, and not all of them are logged`);
  return found;
}

function tell({ faults, explained, denied, slowestPush }: Judgement): void {
  const kills = changes.kills.map(({ killedAt, backAt }) => (backAt ?? Date.now()) - killedAt);
  console.log(`${kills.length} kills, away for at most ${Math.max(0, ...kills)} ms`);
  console.log(
    `${denied} denied by policy; a policy was in force ${slowestPush} ms after it was written`,
  );
  for (const [what, count] of explained) console.log(`${count} failed for a reason: ${what}`);
  for (const what of new Set(faults.map((fault) => fault.what))) {
    const all = faults.filter((fault) => fault.what === what);
    console.log(`${all.length} FAULTS: ${what}`);
    for (const fault of all.slice(0, PRINTED)) tellFault(fault);
  }
}

function tellFault({ told, entries }: Fault): void {
  console.log(`  ${JSON.stringify(told)}`);
  for (const entry of entries) {
    const set = Object.entries(entry).filter(([, value]) => value !== null);
    console.log(`    ${JSON.stringify(Object.fromEntries(set))}`);
  }
}

async function judgeRenewals(): Promise<number> {
  let faults = 0;
  const expected = Math.floor((minutes * 60) / RENEWAL_SECONDS) - 2;
  for (const pod of LASTING) {
    const log = await mesh.mesh.read(join("logs/soak", pod, "sidecar.log"));
    const renewals = log.split('"certificate renewed"').length - 1;
    const isTooFew = renewals < expected;
    if (isTooFew) faults++;
    console.log(`${pod}: ${renewals} renewals${isTooFew ? `, ${expected} expected` : ""}`);
  }
  return faults;
}
