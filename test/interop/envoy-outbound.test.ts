/** An application's calls through a real Envoy in its sidecar's place: to one of our sidecars, in every way that a view knows. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { HttpRoute, RouteAction } from "../../src/policy/routes/virtual-host.ts";
import type { TlsOrigination } from "../../src/policy/tls-origination.ts";
import type { Destination } from "../../src/policy/workload-view.ts";
import { buildCertificate } from "../kit/certificate-builder.ts";
import { startTestEnvoy, type TestEnvoy } from "../kit/envoy-pod.ts";
import { freePort } from "../kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  PROXY_PASSWORD,
  policy,
  portOf,
  type TestSidecar,
  workloadView,
} from "../kit/sidecar-fixture.ts";
import { sidecarGround } from "../kit/sidecar-ground.ts";

const ground = sidecarGround();
const folder = await mkdtemp(join(tmpdir(), "hauberk-outbound-"));
const origin = {
  ref: { kind: "VirtualService", namespace: "production", name: "billing" },
  source: { file: "routes.yaml", line: 1 },
};
const hostOf = (name: string): string => `${name}.production.svc.cluster.local`;
const ports: Record<string, number> = {};
const callees: Record<string, TestSidecar> = {};
let caller: TestEnvoy;

/** A service of one pod with a sidecar of ours, which lets in the frontend alone. */
async function service(name: string, protocol: "http" | "http2" | "tcp" | "auto", identity = name) {
  const [listen, called] = [await freePort(), await freePort()];
  ports[name] = called;
  const application = portOf(
    await ground.listening(
      protocol === "tcp"
        ? createTcpServer((socket) => socket.end(`hello from ${name}`))
        : createServer((incoming, response) => {
            const { host, "x-added": added = "" } = incoming.headers;
            response.end(`${name} ${incoming.url} ${host} ${added}`);
          }),
    ),
  );
  callees[name] = await ground.start({
    view: workloadView({
      name,
      rootsPem: ground.rootsPem,
      ports: [inboundPort({ listen, application, protocol })],
      policies: [
        policy("ALLOW", "frontend", {
          from: [{ principals: ["cluster.local/ns/production/sa/frontend"] }],
        }),
      ],
    }),
    svid: ground.mesh.svid(idOf(name)),
  });
  return destination({
    name,
    port: listen,
    listen: called,
    protocol,
    identities: [idOf(identity)],
  });
}

const issuer = buildCertificate({ subject: { commonName: "Outside CA" } });
const site = buildCertificate({
  subject: { commonName: "pay.example.com" },
  issuer,
  authority: false,
  usage: ["digitalSignature"],
  dnsNames: ["pay.example.com"],
});

/** A server outside the mesh, which speaks TLS by a certificate of its own, as somebody calls it. */
async function outside(
  name: string,
  port: number,
  origination: Partial<TlsOrigination>,
): Promise<Destination> {
  const called = await freePort();
  ports[name] = called;
  const caCertificates = join(folder, "outside.pem");
  return {
    ...destination({ name, port, listen: called, mutualTls: false }),
    host: "pay.example.com",
    serviceName: name,
    servicePort: called,
    clientTls: { mode: "SIMPLE", origin },
    tlsOrigination: {
      mode: "SIMPLE",
      verification: "name",
      material: { from: "files", caCertificates },
      ...origination,
    },
  };
}

function forward(name: string, more: object = {}): RouteAction {
  const destinations = [{ host: hostOf(name), port: 0, weight: 1, ...more }];
  return { do: "forward", destinations, unresolved: 503 };
}

function route(path: string, action: RouteAction, more: Partial<HttpRoute> = {}): HttpRoute {
  return { origin, match: { path: { kind: "prefix", path } }, action, ...more };
}

before(async () => {
  await writeFile(join(folder, "outside.pem"), issuer.pem);
  const pay = portOf(
    await ground.listening(
      createHttpsServer({ cert: site.pem, key: site.keyPem }, (_, response) =>
        response.end("paid"),
      ),
    ),
  );
  const destinations = [
    await outside("pay", pay, {}),
    await outside("other-name", pay, { subjectAltNames: ["other.example.com"] }),
    await outside("system", pay, { material: { from: "files" } }),
    await outside("careless", pay, { verification: "nothing" }),
    await outside("nowhere", pay, { material: { from: "nowhere", problem: "no Secret" } }),
    {
      ...destination({ name: "none", port: 1, identities: [], mutualTls: false }),
      host: "none.example.com",
      serviceName: "none.example.com",
      servicePort: 80,
      endpoints: [],
      serviceEntry: { origin, location: "MESH_EXTERNAL", resolution: "NONE" } as const,
    },
    await service("billing", "http"),
    await service("ledger", "auto"),
    await service("database", "tcp"),
    await service("impostor", "http", "somebody-else"),
  ];
  ports["proxy"] = await freePort();
  const view = workloadView({
    name: "frontend",
    rootsPem: ground.rootsPem,
    destinations,
    httpProxy: ports["proxy"],
  });
  const routes = [
    route("/ledger", forward("ledger")),
    route("/static", {
      ...(forward("billing") as object),
      rewrite: { path: { do: "replace-prefix", prefix: "/files/" } },
    } as RouteAction),
    route("/teapot", { do: "respond", status: 418, body: { text: "short and stout" } }),
    route("/moved", { do: "redirect", status: 308, path: { do: "replace-path", path: "/new" } }),
    route("/gone", forward("nobody")),
    route("/aborted", forward("billing"), {
      fault: { abort: { millionths: 1_000_000, answer: { httpStatus: 555 } } },
    }),
    route("/header", forward("billing"), {
      headers: { request: { set: [{ name: "x-added", value: "100%" }], add: [], remove: [] } },
    }),
    route("/", forward("billing")),
  ];
  const outbound = {
    ...view.outbound,
    virtualHosts: [{ domains: [hostOf("billing")], routes }],
  };
  caller = await startTestEnvoy({
    view: { ...view, outbound },
    svid: ground.mesh.svid(idOf("frontend")),
  });
});

after(async () => {
  await caller?.close();
  await rm(folder, { recursive: true });
});

interface Asked {
  readonly port: number;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask({
  port,
  path,
  headers = {},
}: Asked): Promise<readonly [number, string, string]> {
  const outgoing = request({ host: LOOPBACK, port, path, headers, agent: false }).end();
  const [answer] = await once(outgoing, "response");
  let text = "";
  for await (const chunk of answer) text += chunk;
  return [answer.statusCode, text, answer.headers.location ?? ""];
}

const billing = (path: string, host = "billing"): Promise<readonly [number, string, string]> =>
  ask({ port: ports["billing"] ?? 0, path, headers: { host } });

describe("the port of a destination", () => {
  test("leads there by mutual TLS, whatever host is named", async () => {
    assert.deepEqual((await billing("/a")).slice(0, 2), [200, "billing /a billing "]);
  });

  test("a name of this machine becomes the service's", async () => {
    const [, text] = await billing("/a", `${LOOPBACK}:${ports["billing"]}`);
    assert.equal(text, `billing /a ${hostOf("billing")}:8080 `);
  });

  test("TCP, and HTTP on a port of which nothing is declared", async () => {
    const socket = connectTcp({ host: LOOPBACK, port: ports["database"] ?? 0 });
    let text = "";
    for await (const chunk of socket) text += chunk;
    assert.equal(text, "hello from database");
    const asked = await ask({
      port: ports["ledger"] ?? 0,
      path: "/b",
      headers: { host: "ledger" },
    });
    assert.deepEqual(asked.slice(0, 2), [200, "ledger /b ledger "]);
    // TLS-35: the callee's proxy was told that it is HTTP, or it would have passed on bytes, and known no path.
    const entry = await callees["ledger"]?.entry(({ path }) => path === "/b");
    assert.equal(entry?.protocol, "HTTP/1.1");
  });

  test("HTTP/2 goes on as HTTP/2 where nothing is declared", async () => {
    const session = connectHttp2(`http://${LOOPBACK}:${ports["ledger"]}`);
    const stream = session.request({ ":path": "/h2", ":authority": "ledger" });
    // The application speaks HTTP/1.1 alone: how it comes to the callee is all that is asked.
    await once(stream, "response");
    session.destroy();
    const entry = await callees["ledger"]?.entry(({ path }) => path === "/h2");
    assert.equal(entry?.protocol, "HTTP/2");
  });

  test("TLS-34: a callee that proves another identity than the service's gets no request", async () => {
    const [status] = await ask({ port: ports["impostor"] ?? 0, path: "/", headers: { host: "x" } });
    assert.equal(status, 503);
  });
});

describe("users' routes", () => {
  const TABLE: readonly [path: string, status: number, text: RegExp, location?: string][] = [
    ["/ledger/1", 200, /^ledger \/ledger\/1/],
    ["/static/x", 200, /^billing \/files\/\/x/],
    ["/static../secret", 400, /leads out of its place/],
    ["/static%2e%2e/secret", 400, /leads out of its place/],
    ["/teapot", 418, /^short and stout$/],
    ["/moved?q=1", 308, /^$/, "http://billing/new?q=1"],
    ["/gone", 503, /^$/],
    ["/aborted", 555, /fault filter abort/],
    ["/header", 200, /100%$/],
    ["/else", 200, /^billing \/else/],
  ];
  for (const [path, status, text, location = ""] of TABLE) {
    test(`${path} is answered ${status}`, async () => {
      const answer = await billing(path);
      assert.equal(answer[0], status);
      assert.match(answer[1], text);
      assert.equal(answer[2], location);
    });
  }
});

describe("TLS of others (TLS-31, TLS-37..TLS-39)", () => {
  const TABLE: readonly [name: string, status: number, because: string][] = [
    ["pay", 200, "the certificate is of the host that is called, and of a trusted authority"],
    ["other-name", 503, "it is not of the name that it must have"],
    ["system", 503, "the operating system does not trust that authority"],
    ["careless", 200, "nothing is verified"],
    ["nowhere", 503, "there is nothing to verify it with, and nobody is called without"],
  ];
  for (const [name, status, because] of TABLE) {
    test(`${name} is answered ${status}: ${because}`, async () => {
      const asked = { port: ports[name] ?? 0, path: "/", headers: { host: "pay.example.com" } };
      assert.equal((await ask(asked))[0], status);
    });
  }
});

describe("the HTTP proxy", () => {
  const credentials = `Basic ${Buffer.from(`frontend-0:${PROXY_PASSWORD}`).toString("base64")}`;
  const proxied = (path: string, more: Readonly<Record<string, string>> = {}) =>
    ask({ port: ports["proxy"] ?? 0, path, headers: { host: new URL(path).host, ...more } });

  test("is for those with the pod's password alone", async () => {
    assert.equal((await proxied(`http://${hostOf("billing")}:8080/a`))[0], 401);
  });

  for (const name of ["billing", "billing.production", hostOf("billing")]) {
    test(`finds ${name}`, async () => {
      const [status, text] = await proxied(`http://${name}:8080/a`, {
        "proxy-authorization": credentials,
      });
      assert.equal(status, 200);
      assert.equal(text, `billing /a ${name}:8080 `);
    });
  }

  test("knows nobody else", async () => {
    const headers = { "proxy-authorization": credentials };
    assert.equal((await proxied("http://example.com/a", headers))[0], 502);
  });

  test("a host that nothing resolves cannot be called from loopback", async () => {
    const headers = { "proxy-authorization": credentials };
    assert.equal((await proxied("http://none.example.com/", headers))[0], 503);
  });

  test("opens tunnels", async () => {
    const outgoing = request({
      host: LOOPBACK,
      port: ports["proxy"] ?? 0,
      method: "CONNECT",
      path: `${hostOf("database")}:8080`,
      headers: { "proxy-authorization": credentials },
    }).end();
    const [answer, socket] = await once(outgoing, "connect");
    assert.equal(answer.statusCode, 200);
    let text = "";
    for await (const chunk of socket) text += chunk;
    assert.equal(text, "hello from database");
  });
});
