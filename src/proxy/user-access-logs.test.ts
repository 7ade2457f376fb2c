import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { parsedCel } from "../api/cel-expression.ts";
import { readCelTree } from "../api/read-cel-tree.ts";
import type { PortProtocol } from "../api/service.ts";
import type { AccessLog } from "../policy/workload-view.ts";
import type { LineSink } from "../telemetry/gathered-lines.ts";

const mesh = createThrowawayAuthority();
const frontend = mesh.svid(idOf("frontend"));
const stages: TestSidecar[] = [];
const folder = await mkdtemp(join(tmpdir(), "hauberk-logs-"));
const application = createServer((incoming, response) => {
  incoming.resume().on("end", () => response.writeHead(200, { "x-served": "yes" }).end("hello"));
}).listen(0, LOOPBACK);
await once(application, "listening");
after(async () => {
  application.closeAllConnections();
  application.close();
  await Promise.all(stages.map(({ sidecar }) => sidecar.close()));
  await rm(folder, { recursive: true });
});

class MemorySink implements LineSink {
  text = "";
  write(lines: string): Promise<void> {
    this.writeNow(lines);
    return Promise.resolve();
  }
  #isClosed = false;
  writeNow(lines: string): void {
    if (!this.#isClosed) this.text += `${lines}\n`;
  }
  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }
  line(matches: RegExp): Promise<string> {
    return eventually(String(matches), () =>
      this.text.split("\n").find((line) => matches.test(line)),
    );
  }
}

interface Stage extends TestSidecar {
  readonly port: number;
  readonly stdout: MemorySink;
}

async function stage(
  inbound: readonly AccessLog[],
  {
    protocol = "http",
    serves = application,
    ...options
  }: Partial<ViewOptions> & { readonly protocol?: PortProtocol; readonly serves?: Server } = {},
): Promise<Stage> {
  const port = await freePort();
  const settings = {
    listen: port,
    application: portOf(serves),
    mode: "PERMISSIVE",
    protocol,
  } as const;
  const view = workloadView({
    rootsPem: [mesh.rootPem],
    ports: [inboundPort(settings)],
    ...options,
  });
  const stdout = new MemorySink();
  const started = await startTestSidecar({
    view: { ...view, telemetry: { inbound, outbound: inbound } },
    svid: mesh.svid(idOf("api")),
    logStreams: new Map([["/dev/stdout", stdout]]),
  });
  stages.push(started);
  return { ...started, port, stdout };
}

async function call(
  port: number,
  {
    path = "/",
    as,
    headers = {},
  }: { path?: string; as?: typeof frontend; headers?: Record<string, string> } = {},
): Promise<number | undefined> {
  const outgoing = request({
    path,
    headers: {
      host: "api:8080",
      connection: "close",
      "user-agent": "test/1",
      "x-request-id": "id-1",
      ...headers,
    },
    createConnection: () =>
      as === undefined
        ? connect({ port, host: LOOPBACK })
        : connectTls({
            port,
            host: LOOPBACK,
            cert: as.certificateChainPem,
            key: as.privateKeyPem,
            servername: "outbound_.8080_._.api.production.svc.cluster.local",
            ALPNProtocols: ["istio-http/1.1", "istio", "http/1.1"],
            rejectUnauthorized: false,
          }),
  }).end();
  const [incoming] = await once(outgoing, "response");
  incoming.resume();
  return incoming.statusCode;
}

const TEXT: AccessLog = { provider: "envoy", path: "/dev/stdout", format: { encoding: "TEXT" } };
const JSON_LOG: AccessLog = { ...TEXT, format: { encoding: "JSON" } };

function withFilter(log: AccessLog, expression: string): AccessLog {
  const tree = readCelTree(parsedCel(expression));
  assert.ok(typeof tree !== "string");
  return { ...log, filter: { expression, tree } };
}

const UUID_OR_ID = "id-1";
const TIME = String.raw`\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\]`;

test("OBS-1, OBS-5 an allowed request is one line of Istio's text", async () => {
  const { port, stdout } = await stage([TEXT]);
  assert.equal(await call(port, { path: "/orders?id=7", as: frontend }), 200);
  const line = await stdout.line(/orders/);
  const [address, serverName] = [
    String.raw`127\.0\.0\.1:\d+`,
    String.raw`outbound_\.8080_\._\.api\.production\.svc\.cluster\.local`,
  ];
  assert.match(
    line,
    new RegExp(
      `^${TIME} "GET /orders\\?id=7 HTTP/1\\.1" 200 - via_upstream - "-" 0 5 \\d+ \\d+ "-" "test/1" "${UUID_OR_ID}" "api:8080" "${address}" inbound\\|8080\\|\\| ${address} 127\\.0\\.0\\.1:${port} ${address} ${serverName} default$`,
    ),
  );
});

test("AP-131, AP-132 a denied request names the policy, and no upstream", async () => {
  const { port, stdout } = await stage([TEXT], { policies: [policy("ALLOW", "nobody")] });
  assert.equal(await call(port, { path: "/get", as: frontend }), 403);
  assert.match(
    await stdout.line(/get/),
    /^\[.*\] "GET \/get HTTP\/1\.1" 403 - rbac_access_denied_matched_policy\[none\] - "-" 0 19 \d+ - "-" "test\/1" "id-1" "api:8080" "-" inbound\|8080\|\| - 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ outbound_\S+ default$/,
  );
});

test("OBS-2 JSON has the 24 fields, with numbers as numbers and null for what is absent", async () => {
  const { port, stdout } = await stage([JSON_LOG]);
  await call(port, { path: "/json" });
  const written: Record<string, unknown> = JSON.parse(await stdout.line(/json/));
  assert.equal(Object.keys(written).length, 24);
  const { method, path, response_code, response_flags, bytes_sent, requested_server_name } =
    written;
  assert.deepEqual(
    { method, path, response_code, response_flags, bytes_sent, requested_server_name },
    {
      method: "GET",
      path: "/json",
      response_code: 200,
      response_flags: "-",
      bytes_sent: 5,
      requested_server_name: null,
    },
  );
  assert.match(String(written["upstream_service_time"]), /^\d+$/);
});

test("OBS-3 nothing is written where nobody asked", async () => {
  const { port, stdout, entry } = await stage([]);
  await call(port, { path: "/quiet" });
  await entry(({ path }) => path === "/quiet");
  assert.equal(stdout.text, "");
});

test("OBS-12 the article's filter lets through what failed or was not mutual TLS", async () => {
  const filtered = withFilter(TEXT, "response.code >= 400 || connection.mtls == false");
  const { port, stdout } = await stage([filtered], {
    policies: [policy("DENY", "no-admin", { to: [{ paths: ["/admin"] }] })],
  });
  await call(port, { path: "/fine", as: frontend });
  await call(port, { path: "/plaintext" });
  await call(port, { path: "/admin", as: frontend });
  await stdout.line(/admin.* 403 /);
  await stdout.line(/plaintext.* 200 /);
  assert.doesNotMatch(stdout.text, /fine/);
});

test("OBS-13 a connection has no response code, so that a filter that asks for one does not log it", async () => {
  const logs = [
    withFilter(TEXT, "response.code >= 400"),
    withFilter(JSON_LOG, "!has(response.code)"),
  ];
  const { port, stdout } = await stage(logs, { protocol: "tcp" });
  await call(port, { path: "/as-bytes", as: frontend });
  const line = await stdout.line(/./);
  assert.deepEqual(
    [JSON.parse(line).response_code, JSON.parse(line).method, JSON.parse(line).route_name],
    [0, null, null],
  );
  assert.doesNotMatch(stdout.text, /^\[/m);
});

test("OBS-4, OBS-6 a refused connection is one line with NR, unless those are left out", async () => {
  const port = await freePort();
  const strict = { listen: port, application: portOf(application), mode: "STRICT" } as const;
  const { stdout, views, entries } = await stage([TEXT], { ports: [inboundPort(strict)] });
  const refuse = async (): Promise<void> => {
    const count = entries.length;
    const socket = connect({ port, host: LOOPBACK }).on("error", () => undefined);
    socket.write("GET / HTTP/1.1\r\nHost: api\r\n\r\n");
    await once(socket.resume(), "close");
    await eventually("an entry", () => entries.length > count || undefined);
  };
  await refuse();
  assert.match(
    await stdout.line(/NR/),
    /^\[.*\] "- - -" 0 NR filter_chain_not_found - "-" 0 0 \d+ - "-" "-" "-" "-" "-" - - 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ - -$/,
  );
  const current = views.current;
  assert.ok(current !== undefined);
  const quiet: AccessLog = { ...TEXT, refusals: "left out" };
  views.set({ ...current, telemetry: { inbound: [quiet], outbound: [] } });
  const before = stdout.text;
  await refuse();
  await stages.find((one) => one.views === views)?.sidecar.close();
  assert.equal(stdout.text, before);
});

test("a format of one's own may ask for any header; another view's format is used from the next request on", async () => {
  const custom = (template: string): AccessLog => ({
    ...TEXT,
    format: { encoding: "TEXT", template },
  });
  const { port, stdout, views } = await stage([
    custom("one %REQ(X-A?X-B)% %RESP(X-SERVED)% %REQ(:PATH):4%"),
  ]);
  await call(port, { path: "/first", headers: { "x-b": "b" } });
  assert.equal(await stdout.line(/one/), "one b yes /fir");
  const { current } = views;
  assert.ok(current !== undefined);
  views.set({ ...current, telemetry: { inbound: [custom("two %PROTOCOL%")], outbound: [] } });
  await call(port);
  assert.equal(await stdout.line(/two/), "two HTTP/1.1");
});

test("another path is a file of that name, which keeps what it had; all is there once the sidecar has closed", async () => {
  const path = join(folder, "access.log");
  const { port, sidecar } = await stage([
    { ...TEXT, path, format: { encoding: "TEXT", template: "%REQ(:PATH)%" } },
  ]);
  for (const name of ["/a", "/b", "/c"]) await call(port, { path: name });
  await sidecar.close();
  assert.equal(await readFile(path, "utf8"), "/a\n/b\n/c\n");
});

test("a path that cannot be written is told once, and requests go on", async () => {
  const path = join(folder, "no-such-folder", "access.log");
  const { port, log } = await stage([{ ...TEXT, path }]);
  assert.equal(await call(port), 200);
  await eventually("a warning", () => log.find("an access log cannot be written")[0]);
  assert.equal(await call(port), 200);
});

test("the caller's side tells whom it met, by the names that Envoy has for it", async () => {
  const [listen, callee] = await Promise.all([freePort(), stage([])]);
  const template =
    "%UPSTREAM_CLUSTER% %UPSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_URI_SAN% %ROUTE_NAME%";
  const log = withFilter(
    { ...TEXT, format: { encoding: "TEXT", template } },
    "xds.listener_direction == 2 && !connection.mtls",
  );
  const { stdout } = await stage([log], {
    destinations: [destination({ name: "api", port: callee.port, listen })],
  });
  await call(listen);
  assert.equal(
    await stdout.line(/outbound/),
    `outbound|8080||api.production.svc.cluster.local ${idOf("api")} - default`,
  );
});

const cut: [what: string, protocol: PortProtocol][] = [
  ["a request that nobody answers", "http"],
  ["a connection of bytes", "tcp"],
];
for (const [what, protocol] of cut) {
  test(`${what}, cut when the sidecar closes, is written before the logs are closed`, async () => {
    const clients: Socket[] = [];
    let waiting = 0;
    const template = "cut %BYTES_SENT%";
    const logs = [{ ...TEXT, format: { encoding: "TEXT", template } }] as const;
    const silent = createServer().on("request", () => {});
    silent.on("connection", () => waiting++).listen(0, LOOPBACK);
    await once(silent, "listening");
    const { sidecar, stdout, port } = await stage(logs, { protocol, serves: silent });
    const { certificateChainPem: cert, privateKeyPem: key } = frontend;
    const alpn = protocol === "http" ? "istio-http/1.1" : "istio";
    const secure = { cert, key, rejectUnauthorized: false, ALPNProtocols: [alpn] };
    for (const socket of [
      connect({ port, host: LOOPBACK }),
      connectTls({ port, host: LOOPBACK, ...secure }),
    ]) {
      clients.push(socket.on("error", () => {}));
      socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    await eventually("both", () => waiting === clients.length);
    await sidecar.close();
    assert.deepEqual(stdout.text.match(/^cut \d+$/gm)?.length, clients.length);
    silent.close();
    for (const socket of clients) socket.destroy();
  });
}
