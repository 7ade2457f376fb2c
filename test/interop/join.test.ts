/** Programs that nobody here wrote join by `hauberk run` and call each other: Python's http.server, curl, Redis. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { AccessLogEntry } from "../../src/telemetry/access-log.ts";
import {
  type CommandResult,
  type RunningCommand,
  runHauberk,
  startHauberk,
  untilSaid,
} from "../kit/hauberk-command.ts";
import { missingParts } from "../kit/missing-parts.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

let mesh: RunningMesh;
let folder: string;
const servers: RunningCommand[] = [];

const parametersOf = (
  name: string,
  { options = [], script }: { readonly options?: readonly string[]; readonly script: string },
): readonly string[] => [
  "run",
  ...["--name", name, "--namespace", "production", "--service-account", name],
  ...["--data", mesh.data, ...options, "--", "sh", "-c", script],
];

async function serve(
  name: string,
  joining: { readonly options: readonly string[]; readonly script: string; readonly ready: RegExp },
): Promise<void> {
  const server = startHauberk(parametersOf(name, joining));
  servers.push(server);
  await untilSaid(server, joining.ready);
}

const call = (name: string, script: string): Promise<CommandResult> =>
  runHauberk(parametersOf(name, { script }));

/** What the sidecar of a pod wrote about calls of one service account. */
async function decisionsOn(pod: string, caller: string): Promise<readonly AccessLogEntry[]> {
  const { output } = await runHauberk(["logs", pod, "--json", "--data", mesh.data]);
  return output
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as AccessLogEntry)
    .filter(({ source_principal: principal }) => principal?.endsWith(`/sa/${caller}`));
}

const skip = missingParts("python3", "curl", "redis-server", "redis-cli");

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  await writeFile(join(folder, "page.txt"), "served by Python\n");
  mesh = await runMesh(["test/meshes/join"]);
  await Promise.all([
    serve("files", {
      options: ["--port", "8080"],
      script: `exec python3 -u -m http.server --bind 127.0.0.1 --directory '${folder}' $PORT`,
      ready: /Serving HTTP/,
    }),
    serve("cache", {
      options: ["--port", "tcp:6379"],
      script: "exec redis-server --bind 127.0.0.1 --port $PORT --save '' --appendonly no",
      ready: /Ready to accept connections/,
    }),
  ]);
});
after(async () => {
  for (const server of servers) server.stop();
  await mesh?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

const FETCH = "curl -sS -m 10 -w '%{http_code}' http://files.production:8080/page.txt";
const CACHE = '-h "$CACHE_SERVICE_HOST" -p "$CACHE_SERVICE_PORT"';

test("curl reads what Python serves, through http_proxy", { skip }, async () => {
  const { code, output, errors } = await call("curl", FETCH);
  assert.deepEqual([code, output], [0, "served by Python\n200"], errors);
  const [entry] = await decisionsOn("files", "curl");
  assert.equal(entry?.decision?.verdict, "allow");
  assert.equal(entry?.path, "/page.txt");
  assert.match(entry?.user_agent ?? "", /^curl\//);
});

test("curl by another service account is refused, and so is another method", { skip }, async () => {
  const [stranger, post] = await Promise.all([
    call("stranger", FETCH),
    call("curl", `${FETCH} -X DELETE`),
  ]);
  for (const { output } of [stranger, post]) assert.match(output, /^RBAC: access denied403$/);
  const [refused] = await decisionsOn("files", "stranger");
  assert.equal(refused?.decision?.reason.because, "no-allow-matched");
  const methods = (await decisionsOn("files", "curl")).map(
    ({ method, decision }) => `${method} ${decision?.verdict}`,
  );
  assert.ok(methods.includes("DELETE deny"), methods.join());
});

test("redis-cli uses Redis over the service's plain address", { skip }, async () => {
  const script = `redis-cli ${CACHE} set coat mail && redis-cli ${CACHE} get coat`;
  const { code, output, errors } = await call("redis-cli", script);
  assert.deepEqual([code, output], [0, "OK\nmail\n"], errors);
  const entries = await decisionsOn("cache", "redis-cli");
  assert.ok(entries.length >= 2);
  assert.ok(entries.every(({ protocol }) => protocol === "TCP"));
  assert.ok(entries.every(({ decision }) => decision?.verdict === "allow"));
});

test("redis-cli by another service account gets no byte", { skip }, async () => {
  const { output, errors } = await call("stranger", `timeout 10 redis-cli ${CACHE} get coat`);
  assert.doesNotMatch(output, /mail/);
  assert.match(output + errors, /closed|reset/i);
  const [refused] = await decisionsOn("cache", "stranger");
  assert.equal(refused?.decision?.reason.because, "no-allow-matched");
  assert.equal(refused?.bytes_sent, 0);
});

test("a curl that did not join cannot borrow the listener of one that did", { skip }, async () => {
  const script = 'echo "at $FILES_SERVICE_HOST:$FILES_SERVICE_PORT"; sleep 30';
  const holder = startHauberk(parametersOf("holder", { script }));
  servers.push(holder);
  await untilSaid(holder, /at 127\.0\.0\.1:\d+\n/);
  const [, address] = /at (\S+)/.exec(holder.output()) ?? [];
  const curl = spawnSync("curl", ["-sS", "-m", "10", `http://${address}/page.txt`]);
  assert.doesNotMatch(String(curl.stdout), /served by Python/);
  const denied = await runHauberk(["logs", "holder", "--denied", "--data", mesh.data]);
  assert.match(denied.output, /not the pod's own process: the caller is process \d+ \(curl\)/);
});

test("status shows them, and down ends the mesh", { skip }, async () => {
  const status = await runHauberk(["status", "--data", mesh.data]);
  assert.equal(status.code, 0, status.output);
  assert.match(status.output, /^production\/files-0 +run +running +process \d+ /m);
  assert.match(status.output, /^production\/cache-0 +run +running +process \d+ /m);
  const down = await runHauberk(["down", "--data", mesh.data]);
  assert.equal(down.code, 0, down.errors);
  for (const server of servers) await untilSaid(server, /the mesh has ended/);
});
