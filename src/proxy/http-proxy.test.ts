/** The pod's HTTP proxy as programs really use it: whatever they make of `http_proxy` and of names on one machine. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import { after, test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  LOOPBACK,
  PROXY_PASSWORD,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";

const mesh = createThrowawayAuthority();
const sidecars: TestSidecar[] = [];
after(() => Promise.all(sidecars.map(({ sidecar }) => sidecar.close())));

const CREDENTIALS = Buffer.from(`frontend-0:${PROXY_PASSWORD}`).toString("base64");

interface Heard {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

interface Stage extends TestSidecar {
  readonly proxy: number;
  readonly listener: number;
}

/** `frontend`'s sidecar before `api`, which answers with what it heard; `empty` has no endpoint. */
async function stage(): Promise<Stage> {
  const application = createServer(({ url, headers }, response) => {
    response.end(JSON.stringify({ url, headers }));
  });
  application.listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const [proxy, listener] = [await freePort(), await freePort()];
  const api = { port: portOf(application), listen: listener, mutualTls: false };
  const started = await startTestSidecar({
    view: workloadView({
      name: "frontend",
      rootsPem: [mesh.rootPem],
      httpProxy: proxy,
      destinations: [
        { ...destination({ name: "empty", port: 1 }), endpoints: [] },
        destination({ name: "api", ...api }),
      ],
    }),
    svid: mesh.svid(idOf("frontend")),
  });
  sidecars.push(started);
  return { ...started, proxy, listener };
}

/** Everything that comes back until the other side closes. */
async function say(socket: Socket, lines: readonly string[]): Promise<string> {
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** As curl with `http_proxy=http://frontend-0:PASSWORD@127.0.0.1:PORT/` asks for a URL. */
function curl(proxy: number, url: string): Promise<string> {
  return say(connect({ port: proxy, host: LOOPBACK }), [
    `GET ${url} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    `Proxy-Authorization: Basic ${CREDENTIALS}`,
    "User-Agent: curl/8.5.0",
    "Accept: */*",
    "Proxy-Connection: Keep-Alive",
    "Connection: close",
  ]);
}

/** As programs that ask for a tunnel also where nothing is encrypted. */
async function tunnelled(proxy: number, authority: string): Promise<string> {
  const socket = connect({ port: proxy, host: LOOPBACK });
  const request = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`];
  socket.write([...request, `Proxy-Authorization: Basic ${CREDENTIALS}`, "", ""].join("\r\n"));
  const [answer] = await once(socket, "data");
  if (!String(answer).startsWith("HTTP/1.1 200")) return String(answer);
  return say(socket, ["GET /x HTTP/1.1", `Host: ${authority}`, "Connection: close"]);
}

function heard(answer: string): Heard {
  const [head = "", body = ""] = answer.split("\r\n\r\n", 2);
  assert.match(head, /^HTTP\/1.1 200/);
  return JSON.parse(body.slice(body.indexOf("{"), body.lastIndexOf("}") + 1));
}

const names: [asked: string, told: string][] = [
  ["api:8080", "api:8080"],
  ["api.localhost:8080", "api:8080"],
  ["api.production.localhost:8080", "api.production:8080"],
  ["API.Production.LOCALHOST.:8080", "api.production:8080"],
  ["api.production.svc.cluster.local.localhost:8080", "api.production.svc.cluster.local:8080"],
  ["127.0.0.1:LISTENER", "api.production.svc.cluster.local:8080"],
  ["localhost:LISTENER", "api.production.svc.cluster.local:8080"],
  ["api.localhost:LISTENER", "api.production.svc.cluster.local:8080"],
];
for (const [asked, told] of names) {
  test(`${asked} through the proxy, asked for and tunnelled, is known to the callee as ${told}`, async () => {
    const { proxy, listener } = await stage();
    const authority = asked.replace("LISTENER", String(listener));
    const { url, headers } = heard(await curl(proxy, `http://${authority}/x`));
    assert.deepEqual([url, headers.host], ["/x", told]);
    for (const name of ["proxy-connection", "proxy-authorization"]) {
      assert.equal(name in headers, false, name);
    }
    assert.equal(heard(await tunnelled(proxy, authority)).headers.host, told);
  });
}

const unreachable: [authority: string, name: RegExp][] = [
  ["example.com:443", /"example.com:443" is no service and port of the mesh/],
  ["api.localhost:9090", /"api.localhost:9090" is no service/],
  ["localhost:8080", /"localhost:8080" is no service/],
  ["8.8.8.8:LISTENER", /"8.8.8.8:\d+" is no service/],
  [".localhost:8080", /".localhost:8080" is no service/],
];
for (const [asked, said] of unreachable) {
  test(`${asked} cannot be reached, asked for or tunnelled, and the answer and the log say so`, async () => {
    const { proxy, listener, entry } = await stage();
    const authority = asked.replace("LISTENER", String(listener));
    const answers = [
      ["GET", await curl(proxy, `http://${authority}/`)],
      ["CONNECT", await tunnelled(proxy, authority)],
    ] as const;
    for (const [asked, answer] of answers) {
      assert.match(answer, /^HTTP\/1.1 502/);
      assert.match(answer, said);
      assert.match(answer, /REGISTRY_ONLY/);
      const { decision } = await entry(({ method }) => method === asked);
      assert.equal(decision?.reason.because, "unknown-destination");
    }
  });
}

test("a service without a ready endpoint is named, asked for or tunnelled", async () => {
  const { proxy } = await stage();
  for (const answer of [
    await curl(proxy, "http://empty:8080/"),
    await tunnelled(proxy, "empty:8080"),
  ]) {
    assert.match(answer, /^HTTP\/1.1 503/);
    assert.match(answer, /service production\/empty has no ready endpoint for port 8080/);
  }
});

test("a plain listener takes names of this machine, too", async () => {
  const { listener } = await stage();
  const { headers } = heard(
    await say(connect({ port: listener, host: LOOPBACK }), [
      "GET /x HTTP/1.1",
      `Host: api.localhost:${listener}`,
      "Connection: close",
    ]),
  );
  assert.equal(headers.host, "api.production.svc.cluster.local:8080");
});
