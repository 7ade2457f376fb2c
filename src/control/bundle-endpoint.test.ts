import assert from "node:assert/strict";
import type { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { readSpiffeBundle } from "../../test/kit/read-spiffe-bundle.ts";
import { recordedLog } from "../../test/kit/recorded-log.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { AuthorityTrust } from "../ca/rotation.ts";
import { spiffeIdOfCertificate } from "../identity/peer-certificate.ts";
import { WatchedValue } from "../runtime/watched.ts";
import { BundleSequence, BundleSequenceError } from "./bundle-sequence.ts";
import { ControlPlaneSvid } from "./control-plane-svid.ts";
import { type Federation, startFederation } from "./federation.ts";

const first = createThrowawayAuthority();
const second = createThrowawayAuthority();
const trustOf = (...rootsPem: string[]): AuthorityTrust => ({
  rootsPem,
  taintedAuthorities: [],
  crlsPem: [],
});

let base: string;
before(async () => {
  base = await mkdtemp(join(tmpdir(), "hauberk-"));
});
after(() => rm(base, { recursive: true }));

interface Fixture {
  readonly federation: Federation;
  readonly port: number;
  readonly issuer: WatchedValue<typeof first.authority>;
  readonly trust: WatchedValue<AuthorityTrust>;
}

async function serve(context: TestContext, folder?: string): Promise<Fixture> {
  const dataDirectory = folder ?? (await mkdtemp(join(base, "data-")));
  const issuer = new WatchedValue(first.authority);
  const trust = new WatchedValue(trustOf(first.rootPem));
  const log = recordedLog();
  const clock = { now: () => new Date() };
  const own = new ControlPlaneSvid({ issuer, trustDomain: "cluster.local", clock, log });
  const federation = await startFederation({
    dataDirectory,
    trustDomain: "cluster.local",
    issuer,
    trust,
    svid: own.svid,
    authenticate: () => Promise.reject(new Error("nobody calls")),
    bundleEndpointPort: 0,
    clock,
    log,
  });
  context.after(() => {
    own.close();
    return federation.close();
  });
  const url = String(log.find("the trust bundle is served")[0]?.fields["url"]);
  return { federation, port: Number(new URL(url).port), issuer, trust };
}

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
  readonly server: X509Certificate;
}

/** As the profile https_spiffe says: verified by SPIFFE ID and the bundle that is known so far, not by host name. */
function fetchBundle(
  port: number,
  options: { method?: string; path?: string; ca?: string } = {},
): Promise<Answer> {
  const { method = "GET", path = "/", ca = first.rootPem } = options;
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        ca,
        agent: false,
        checkServerIdentity: () => undefined,
      },
      (response) => {
        const { socket } = response;
        assert.ok("getPeerX509Certificate" in socket);
        const server = (socket as import("node:tls").TLSSocket).getPeerX509Certificate();
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          body += part;
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            type: response.headers["content-type"],
            body,
            server: server ?? assert.fail("no certificate"),
          }),
        );
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

test("the bundle has all roots, the token keys, a sequence and a refresh hint; the server is known by its SPIFFE ID", async (context) => {
  const { port, trust } = await serve(context);
  trust.set(trustOf(first.rootPem, second.rootPem));
  const { status, type, body, server } = await fetchBundle(port);
  assert.equal(status, 200);
  assert.equal(type, "application/json");
  assert.equal(spiffeIdOfCertificate(server), "spiffe://cluster.local/ns/istio-system/sa/istiod");
  const bundle = readSpiffeBundle(body);
  assert.deepEqual(bundle.x509Authorities.map(String), [first.rootPem, second.rootPem]);
  assert.equal(bundle.jwtAuthorities.size, 1);
  assert.equal(bundle.sequence, 1);
  assert.equal(bundle.refreshHintSeconds, 60);
  assert.ok(!body.includes('"d"'), "a private key is in the bundle");
});

test("the sequence grows with each other content, and only then, also over restarts", async (context) => {
  const folder = await mkdtemp(join(base, "data-"));
  const sequenceAt = async (port: number, ca?: string) =>
    readSpiffeBundle((await fetchBundle(port, ca === undefined ? {} : { ca })).body).sequence;
  const before = await serve(context, folder);
  assert.deepEqual([await sequenceAt(before.port), await sequenceAt(before.port)], [1, 1]);
  before.trust.set(trustOf(first.rootPem, second.rootPem));
  assert.equal(await sequenceAt(before.port), 2);
  await before.federation.close();
  const again = await serve(context, folder);
  again.trust.set(trustOf(first.rootPem, second.rootPem));
  assert.equal(await sequenceAt(again.port), 2);
  again.trust.set(trustOf(first.rootPem));
  assert.equal(await sequenceAt(again.port), 3);
});

test("with another signing authority the server's certificate and the token keys follow", async (context) => {
  const { port, issuer, trust } = await serve(context);
  const [oldKey] = readSpiffeBundle((await fetchBundle(port)).body).jwtAuthorities.keys();
  trust.set(trustOf(first.rootPem, second.rootPem));
  issuer.set(second.authority);
  await assert.rejects(fetchBundle(port, { ca: first.rootPem }));
  const keys = await eventually("the new token key", async () => {
    const { body } = await fetchBundle(port, { ca: second.rootPem });
    const { jwtAuthorities } = readSpiffeBundle(body);
    return jwtAuthorities.size === 2 && [...jwtAuthorities.keys()];
  });
  assert.equal(keys[0], oldKey);
});

test("idle connections, however many, close nothing to others", async (context) => {
  const { port } = await serve(context);
  const idle = Array.from({ length: 300 }, () => connect(port, "127.0.0.1"));
  for (const socket of idle) socket.on("error", () => undefined);
  context.after(() => {
    for (const socket of idle) socket.destroy();
  });
  await Promise.all(idle.map((socket) => once(socket, "connect")));
  const since = performance.now();
  assert.equal((await fetchBundle(port)).status, 200);
  assert.ok(performance.now() - since < 5_000, "it waited for them to time out");
});

const others: [method: string, path: string, status: number][] = [
  ["POST", "/", 405],
  ["DELETE", "/", 405],
  ["GET", "/ca-key.pem", 404],
  ["GET", "/..%2f", 404],
];
for (const [method, path, status] of others) {
  test(`${method} ${path} is answered with ${status}`, async (context) => {
    const { port } = await serve(context);
    const answer = await fetchBundle(port, { method, path });
    assert.equal(answer.status, status);
    assert.equal(answer.body, "");
  });
}

test("HEAD tells of the bundle without it", async (context) => {
  const { port } = await serve(context);
  const { status, type, body } = await fetchBundle(port, { method: "HEAD" });
  assert.deepEqual([status, type, body], [200, "application/json", ""]);
});

test("a sequence that cannot be read is not begun anew", async () => {
  const folder = await mkdtemp(join(base, "data-"));
  const path = join(folder, "ca", "bundle-sequence.json");
  await mkdir(join(folder, "ca"));
  for (const text of ["{", "{}", '{"sequence":-0.5,"digest":""}', '{"sequence":"1","digest":""}']) {
    await writeFile(path, text);
    await assert.rejects(BundleSequence.open(folder), BundleSequenceError);
    assert.equal(await readFile(path, "utf8"), text);
  }
});

test("a number that cannot be kept is not told", async () => {
  const folder = await mkdtemp(join(base, "data-"));
  const sequence = await BundleSequence.open(folder);
  await assert.rejects(sequence.of("one"));
  await mkdir(join(folder, "ca"));
  assert.equal(await sequence.of("one"), 1);
  assert.equal(await sequence.of("one"), 1);
});
