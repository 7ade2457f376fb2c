/** What an agent does for its real Envoy: starts it again, drains it, keeps its secrets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { lstat, readdir } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { withDescendants } from "../../src/local/processes/descendants.ts";
import { startTestEnvoy, type TestEnvoy } from "../kit/envoy-pod.ts";
import { eventually } from "../kit/eventually.ts";
import { freePort } from "../kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  PROXY_PASSWORD,
  portOf,
  startTestSidecar,
  workloadView,
} from "../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

const mesh = createThrowawayAuthority();
const next = createThrowawayAuthority();
const SLOW_MS = 1_500;

let application: Server;
let api: Awaited<ReturnType<typeof startTestSidecar>>;
let apiPort: number;
before(async () => {
  application = createServer((incoming, response) => {
    const slow = incoming.url === "/slow" ? SLOW_MS : 0;
    setTimeout(() => response.end("done"), slow);
  });
  await once(application.listen(0, LOOPBACK), "listening");
  apiPort = await freePort();
  const ports = [inboundPort({ listen: apiPort, application: portOf(application) })];
  api = await startTestSidecar({
    view: workloadView({ rootsPem: [mesh.rootPem], ports }),
    svid: mesh.svid(idOf("api")),
  });
});
after(async () => {
  await api?.sidecar.close();
  application?.closeAllConnections();
  application?.close();
});

interface Caller {
  readonly envoy: TestEnvoy;
  /** Where the application calls `api`. */
  readonly calls: number;
  readonly httpProxy: number;
}

async function startCaller(): Promise<Caller> {
  const [calls, httpProxy] = [await freePort(), await freePort()];
  const destinations = [destination({ name: "api", port: apiPort, listen: calls })];
  const envoy = await startTestEnvoy({
    view: workloadView({ name: "web", rootsPem: [mesh.rootPem], destinations, httpProxy }),
    svid: mesh.svid(idOf("web")),
  });
  return { envoy, calls, httpProxy };
}

async function withCaller(use: (caller: Caller) => Promise<void>): Promise<void> {
  const caller = await startCaller();
  try {
    await use(caller);
  } finally {
    await caller.envoy.close();
  }
}

async function ask(
  port: number,
  {
    path = "/",
    headers = {},
  }: { readonly path?: string; readonly headers?: Record<string, string> } = {},
): Promise<number> {
  const host = "api.production:8080";
  const outgoing = request({
    host: LOOPBACK,
    port,
    path,
    headers: { host, ...headers },
    agent: false,
  });
  outgoing.end();
  const [reply] = await once(outgoing, "response");
  reply.resume();
  await once(reply, "end");
  return reply.statusCode;
}

async function envoyProcess(): Promise<number> {
  const [, ...children] = await withDescendants(process.pid);
  return children.at(-1) ?? assert.fail("no Envoy");
}

test("an Envoy that is killed is started again, and serves", () =>
  withCaller(async ({ envoy, calls }) => {
    assert.equal(await ask(calls), 200);
    const killed = await envoyProcess();
    process.kill(killed, "SIGKILL");
    await envoy.line("Envoy ended, and is started again");
    await eventually("an answer", async () => (await ask(calls).catch(() => 0)) === 200);
    assert.equal(envoy.log.find("Envoy serves").length, 2);
    assert.notEqual(await envoyProcess(), killed);
  }));

test("asked to end, it takes no more, and what is under way ends well", async () => {
  const { envoy, calls } = await startCaller();
  const slow = ask(calls, { path: "/slow" });
  await eventually("the call to be under way", async () =>
    (await envoy.envoy("/stats?filter=upstream_rq_active")).includes(
      "api.production.svc.cluster.local.upstream_rq_active: 1",
    ),
  );
  const begun = performance.now();
  const closed = envoy.close();
  await eventually("the end of the port", async () => {
    const socket = connect({ host: LOOPBACK, port: calls });
    const outcome = await Promise.race([once(socket, "connect"), once(socket, "close")]).catch(
      () => "refused",
    );
    socket.destroy();
    return outcome === "refused";
  });
  assert.equal(await slow, 200);
  await closed;
  const tookMs = performance.now() - begun;
  assert.ok(tookMs < 4_500, `nothing was under way any more, and it took ${Math.round(tookMs)} ms`);
});

test("new trust is in force once Envoy has taken it over", () =>
  withCaller(async ({ envoy }) => {
    const view = envoy.views.current ?? assert.fail("no view");
    const trust = { ...view.trust, rootsPem: [mesh.rootPem, next.rootPem] };
    envoy.views.set({ ...view, trust });
    await envoy.acceptedTrust.settled(trust, AbortSignal.timeout(10_000));
    const shown = await envoy.envoy("/certs");
    assert.equal(shown.match(/"ca_cert"/g)?.length, shown.match(/"cert_chain"/g)?.length);
    const broken = { ...trust, rootsPem: ["no certificate"] };
    envoy.views.set({ ...view, trust: broken });
    await assert.rejects(envoy.acceptedTrust.settled(broken, AbortSignal.timeout(10_000)), {
      code: "HAUBERK_TRUST_REFUSED",
    });
  }));

test("neither key nor password is told, and nobody else may enter", () =>
  withCaller(async ({ envoy, httpProxy, calls }) => {
    const told = `${await envoy.ask("/config_dump")}${await envoy.envoy("/config_dump")}`;
    const key = envoy.svid.current?.privateKeyPem.split("\n")[1] ?? assert.fail("no key");
    for (const secret of [key, Buffer.from(key).toString("base64"), PROXY_PASSWORD])
      assert.ok(!told.includes(secret));
    assert.equal((await lstat(envoy.folder)).mode & 0o777, 0o700);
    for (const name of await readdir(envoy.folder))
      assert.equal((await lstat(join(envoy.folder, name))).mode & 0o077, 0, name);
    assert.equal(await ask(calls), 200);
    const wrong = {
      "proxy-authorization": `Basic ${Buffer.from("web-0:guess").toString("base64")}`,
    };
    assert.equal(await ask(httpProxy), 401);
    assert.equal(await ask(httpProxy, { headers: wrong }), 401);
    const right = Buffer.from(`web-0:${PROXY_PASSWORD}`).toString("base64");
    assert.equal(
      await ask(httpProxy, { headers: { "proxy-authorization": `Basic ${right}` } }),
      200,
    );
  }));
