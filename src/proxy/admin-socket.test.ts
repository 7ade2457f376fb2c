import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askAdmin } from "../../test/kit/ask-admin.ts";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import {
  destination,
  idOf,
  inboundPort,
  PROXY_PASSWORD,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { systemClock } from "../runtime/clock.ts";
import { createLog, type LogLevel } from "../runtime/log.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { textPage } from "./admin-page.ts";
import { openAdminSocket } from "./admin-socket.ts";

const mesh = createThrowawayAuthority();
const svid = mesh.svid(idOf("api"));
let folder: string;
let sidecar: TestSidecar;
let inbound: number;
const logLevel = new WatchedValue<LogLevel>("info");
const path = (): string => join(folder, "admin.sock");

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  inbound = await freePort();
  const view = workloadView({
    rootsPem: [mesh.rootPem],
    ports: [inboundPort({ listen: inbound, application: await freePort() })],
    destinations: [destination({ name: "billing", port: 7001, listen: await freePort() })],
    httpProxy: await freePort(),
  });
  sidecar = await startTestSidecar({ view, svid, adminSocket: path(), logLevel });
});
after(async () => {
  await sidecar.sidecar.close();
  await rm(folder, { recursive: true });
});

const READS = ["/certs", "/clusters", "/config_dump", "/listeners", "/logging", "/ready", "/stats"];

test("the socket and its folder are the user's alone", async () => {
  assert.equal((await stat(path())).mode & 0o777, 0o600);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
});

test("a socket is not made in a folder that others may enter, or that is not there", async () => {
  const open = await mkdtemp(join(tmpdir(), "hauberk-"));
  const options = { log: recordedLog(), answer: () => textPage(200, "") };
  await chmod(open, 0o701);
  const inIt = join(open, "admin.sock");
  await assert.rejects(openAdminSocket({ ...options, path: inIt }), /is open to other users/);
  await assert.rejects(stat(inIt), /ENOENT/);
  const nowhere = join(open, "none", "admin.sock");
  await assert.rejects(openAdminSocket({ ...options, path: nowhere }), /its folder is not there/);
  await rm(open, { recursive: true });
});

test("/config_dump tells what the sidecar holds, in our own form", async () => {
  const { status, body } = await askAdmin(path(), { path: "/config_dump" });
  const dump = JSON.parse(body);
  assert.equal(status, 200);
  assert.deepEqual(
    [dump.format, dump.namespace, dump.name, dump.state],
    [1, "production", "api-0", "ready"],
  );
  assert.deepEqual(dump.view, JSON.parse(JSON.stringify(sidecar.views.current)));
  assert.deepEqual(dump.certificates, {
    id: svid.id,
    serialNumber: svid.serialNumber,
    notAfter: svid.notAfter.toISOString(),
    issuedAt: svid.issuedAt.toISOString(),
    certificateChainPem: svid.certificateChainPem,
    rootsPem: [mesh.rootPem],
  });
  for (const part of ["certs", "clusters", "listeners"] as const) {
    const { body: alone } = await askAdmin(path(), { path: `/${part}` });
    const whole = part === "certs" ? dump.certificates : dump[part];
    assert.deepEqual(JSON.parse(alone), whole);
  }
});

test("no answer has a byte of the private key, nor the password of the proxy", async () => {
  const key = svid.privateKeyPem.split("\n").filter((line) => /^[\w+/=]{20,}$/.test(line));
  const secrets = ["PRIVATE", PROXY_PASSWORD, ...key];
  assert.ok(secrets.length > 2);
  const raw = Buffer.from(key.join(""), "base64");
  for (const path_ of [...READS, "/", "/nothing", "/drain", "/logging?level=nonsense"]) {
    const asked = ["GET", "POST"].filter((method) => `${method} ${path_}` !== "POST /drain");
    for (const method of asked) {
      const { body } = await askAdmin(path(), { path: path_, method });
      for (const secret of secrets) assert.ok(!body.includes(secret), `${method} ${path_}`);
      assert.ok(!body.includes(raw.toString("hex")));
    }
  }
});

test("what changes something is refused to GET, with the reason", async () => {
  for (const path_ of ["/drain", "/logging?level=debug"]) {
    const { status, body, allow } = await askAdmin(path(), { path: path_ });
    assert.deepEqual([status, allow], [405, "POST"]);
    assert.match(body, /changes what the sidecar does: ask with POST/);
  }
  for (const path_ of READS.filter((one) => one !== "/logging")) {
    const { status, allow } = await askAdmin(path(), { path: path_, method: "POST" });
    assert.deepEqual([path_, status, allow], [path_, 405, "GET"]);
  }
  assert.equal(logLevel.current, "info");
  assert.equal((await askAdmin(path(), { path: "/ready" })).body, "ready\n");
});

const unusual: [method: string, path: string, status: number][] = [
  ["PUT", "/logging", 405],
  ["DELETE", "/config_dump", 405],
  ["GET", "/config_dump?mask=x", 400],
  ["GET", "/config_dump/", 404],
  ["GET", "/nothing", 404],
  ["POST", "/drain?now", 400],
  ["POST", "/logging", 400],
  ["POST", "/logging?level=loud", 400],
  ["POST", "/logging?level=debug&level=error", 400],
  ["POST", "/logging?level=debug&paths=x", 400],
];
for (const [method, asked, status] of unusual) {
  test(`${method} ${asked} is answered with ${status}, and changes nothing`, async () => {
    assert.equal((await askAdmin(path(), { path: asked, method })).status, status);
    assert.equal(logLevel.current, "info");
    assert.equal((await askAdmin(path(), { path: "/ready" })).status, 200);
  });
}

test("a request with a body is refused, and the body not read", async () => {
  const body = "level=debug".repeat(10_000);
  const asked = askAdmin(path(), { path: "/logging?level=debug", method: "POST", body });
  assert.equal((await asked).status, 413);
  assert.equal(logLevel.current, "info");
});

test("a head that is too long ends the connection", async () => {
  const asked = connect(path());
  asked.write(`GET /ready HTTP/1.1\r\nhost: sidecar\r\nx: ${"x".repeat(20_000)}\r\n\r\n`);
  let answer = "";
  asked.on("data", (part: Buffer) => {
    answer += part.toString();
  });
  asked.on("error", () => undefined);
  await once(asked, "close");
  assert.match(answer, /^(HTTP\/1\.1 431 |$)/);
});

test("POST /logging changes how much is written, at once", async () => {
  const lines: string[] = [];
  const log = createLog((line) => lines.push(line), systemClock, logLevel);
  for (const [level, written] of [
    ["debug", ["debug", "info", "error"]],
    ["warn", ["error"]],
    ["info", ["info", "error"]],
  ] as const) {
    const asked = { path: `/logging?level=${level}`, method: "POST" };
    const { status, body } = await askAdmin(path(), asked);
    assert.deepEqual([status, JSON.parse(body).level], [200, level]);
    assert.equal(JSON.parse((await askAdmin(path(), { path: "/logging" })).body).level, level);
    lines.length = 0;
    log.debug("one");
    log.info("two");
    log.error("three");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).level),
      written,
    );
  }
});

test("POST /drain ends the listeners as SIGTERM does; the administration stays", async () => {
  const [open, first] = [connect(inbound, "127.0.0.1"), connect(inbound, "127.0.0.1")];
  await Promise.all([once(open, "connect"), once(first, "connect")]);
  open.on("error", () => undefined);
  first.on("error", () => undefined);
  for (const _ of ["once", "and again"]) {
    const { status, body } = await askAdmin(path(), { path: "/drain", method: "POST" });
    assert.deepEqual([status, body], [202, "draining\n"]);
  }
  const state = await askAdmin(path(), { path: "/ready" });
  assert.deepEqual([state.status, state.body], [503, "draining\n"]);
  assert.equal((await askAdmin(sidecar.adminPort, { path: "/ready" })).status, 503);
  await eventually("nobody is let in", async () => {
    const late = connect(inbound, "127.0.0.1");
    const outcome = await Promise.race([
      once(late, "connect").then(() => undefined),
      once(late, "error").then(() => "refused"),
    ]).catch(() => "refused");
    late.destroy();
    return outcome;
  });
  const { body } = await askAdmin(path(), { path: "/config_dump" });
  assert.equal(JSON.parse(body).state, "draining");
  open.destroy();
  first.destroy();
});
