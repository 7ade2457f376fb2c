import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import type { ProbeCheck } from "../../api/probe.ts";
import { checkHttp } from "./http-check.ts";

const LOOPBACK = "127.0.0.1";
/** Of TEST-NET-3: only who connects as told gets anywhere. */
const POD = "203.0.113.1";

interface Seen {
  readonly url: string;
  readonly headers: readonly string[];
}

interface Application {
  readonly port: number;
  readonly seen: readonly Seen[];
}

async function listening(context: TestContext, server: Server): Promise<number> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  context.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function serve(context: TestContext, answer: RequestListener): Promise<Application> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? "", headers: request.rawHeaders });
    answer(request, response);
  });
  return { port: await listening(context, server), seen };
}

type HttpGet = Extract<ProbeCheck, { kind: "httpGet" }>;

/** @param own ports that a redirect may lead to */
function check(
  port: number,
  what: Partial<HttpGet> & { own?: readonly number[]; timeoutMs?: number } = {},
) {
  const { own = [], timeoutMs = 5_000, ...asked } = what;
  const at = (wanted: number) =>
    own.includes(wanted) ? { address: POD, port: wanted } : undefined;
  return checkHttp(
    { kind: "httpGet", scheme: "HTTP", path: "/", port: 8080, headers: [], ...asked },
    {
      address: { address: POD, port },
      place: {
        address: at,
        redirected: at,
        connect: ({ port: real }) => connect({ host: LOOPBACK, port: real }),
      },
      signal: AbortSignal.timeout(timeoutMs),
    },
  );
}

const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers);
    response.end("x".repeat(100_000));
  };

test("200 to 399 is well, anything else is told", async (context) => {
  for (const status of [200, 204, 299, 300, 304, 305, 399]) {
    await check((await serve(context, answering(status))).port);
  }
  for (const status of [400, 401, 404, 500, 503]) {
    const { port } = await serve(context, answering(status));
    await assert.rejects(check(port), new RegExp(`^Error: status ${status}$`));
  }
});

test("the query is sent, and whoever asks says who he is", async (context) => {
  const { port, seen } = await serve(context, answering(200));
  await check(port, { path: "/ready?full=1&v=%20" });
  const [request] = seen;
  assert.equal(request?.url, "/ready?full=1&v=%20");
  assert.deepEqual(request?.headers, [
    "User-Agent",
    "kube-probe/hauberk",
    "Accept",
    "*/*",
    "Host",
    `${POD}:${port}`,
    "Connection",
    "close",
  ]);
});

test("headers of the probe: all values of a name, its own host, and no body that is none", async (context) => {
  const { port, seen } = await serve(context, answering(200));
  const named = (name: string, value: string) => ({ name, value });
  const headers = [
    named("X-A", "1"),
    named("x-a", "2"),
    named("host", "shop.example"),
    named("Host", "second.example"),
    named("user-agent", "me"),
    named("Content-Length", "7"),
    named("Transfer-Encoding", "chunked"),
  ];
  await check(port, { headers });
  const sent = seen[0]?.headers.join(" ") ?? "";
  assert.match(sent, /X-A 1 X-A 2/);
  assert.match(sent, /host shop\.example/);
  assert.match(sent, /user-agent me/);
  assert.doesNotMatch(sent, /second|kube-probe|content-length|transfer-encoding/i);
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`${status} is followed within the pod: by path, with a query, and in full`, async (context) => {
    const { port, seen } = await serve(context, (request, response) => {
      const next: Record<string, string> = {
        "/": "a/b?c=1",
        "/a/b?c=1": "../d",
        "/d": `http://${request.headers.host}/e`,
      };
      const location = next[request.url ?? ""];
      response.writeHead(location === undefined ? 503 : status, location ? { location } : {});
      response.end();
    });
    await assert.rejects(check(port), /^Error: status 503$/);
    assert.deepEqual(
      seen.map(({ url }) => url),
      ["/", "/a/b?c=1", "/d", "/e"],
    );
  });
}

test("a redirect out of the pod is as good as an answer, and nobody is asked there", async (context) => {
  const elsewhere = await serve(context, answering(500));
  for (const location of [
    `http://${LOOPBACK}:${elsewhere.port}/`,
    `//localhost:${elsewhere.port}/`,
    "https://login.example/",
    "mailto:a@b.example",
  ]) {
    const { port, seen } = await serve(context, answering(302, { location }));
    await check(port);
    assert.equal(seen.length, 1);
  }
  assert.equal(elsewhere.seen.length, 0);
});

test("a redirect to another port of the pod is followed, to any other port it is a fault", async (context) => {
  const other = await serve(context, answering(418));
  const location = `http://${POD}:${other.port}/other`;
  const { port } = await serve(context, answering(302, { location }));
  await assert.rejects(check(port, { own: [other.port] }), /^Error: status 418$/);
  await assert.rejects(check(port), /redirects to port \d+, which is not the pod's/);
  assert.equal(other.seen.length, 1);
});

test("redirects without end, to no URL, and to what cannot be asked", async (context) => {
  const endless = await serve(context, answering(302, { location: "/again" }));
  await assert.rejects(check(endless.port), /^Error: stopped after 10 redirects$/);
  assert.equal(endless.seen.length, 10);
  const nowhere = await serve(context, answering(302, { location: "http://[" }));
  await assert.rejects(check(nowhere.port), /redirects to what is no URL/);
  const ftp = await serve(context, answering(302, { location: `ftp://${POD}/` }));
  await assert.rejects(check(ftp.port), /redirects to ftp:/);
  await check((await serve(context, answering(302))).port); // without a Location it is an answer
});

test("the probe's own host is asked for again by path, not at a place that is named in full", async (context) => {
  const hosts: (string | undefined)[] = [];
  const { port } = await serve(context, (request, response) => {
    hosts.push(request.headers.host);
    const next = ["/second", `http://${POD}:${port}/third`][hosts.length - 1];
    response.writeHead(next === undefined ? 200 : 302, next ? { location: next } : {});
    response.end();
  });
  await check(port, { headers: [{ name: "Host", value: "shop.example" }] });
  assert.deepEqual(hosts, ["shop.example", "shop.example", `${POD}:${port}`]);
});

test("an answer that breaks off, is silent, or never comes is none; one without end is enough", async (context) => {
  const broken = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
  });
  await assert.rejects(check(await listening(context, broken)), /aborted/);
  const silent = createTcpServer((socket) => context.after(() => socket.destroy()));
  await assert.rejects(check(await listening(context, silent), { timeoutMs: 100 }), /abort/i);
  await assert.rejects(check(1), /ECONNREFUSED/);
  const endless = await serve(context, (_request, response) => {
    context.after(() => response.destroy());
    response.write("x".repeat(20_000));
  });
  await check(endless.port);
});

test("HTTPS, with whatever certificate; also where a redirect leads there", async (context) => {
  const { serverCertificate } = createThrowawayAuthority();
  const { certificateChainPem: cert, privateKeyPem: key } = serverCertificate();
  const seen: (string | undefined)[] = [];
  const secure = createHttpsServer({ cert, key }, (request, response) => {
    seen.push(`${request.headers.host}${request.url}`);
    response.end();
  });
  const port = await listening(context, secure);
  await check(port, { scheme: "HTTPS", path: "/ready" });
  const plain = await serve(context, answering(302, { location: `https://${POD}:${port}/moved` }));
  await check(plain.port, { own: [port] });
  assert.deepEqual(seen, [`${POD}:${port}/ready`, `${POD}:${port}/moved`]);
  await assert.rejects(check(plain.port, { scheme: "HTTPS" }), /wrong version number/);
  await assert.rejects(check(1, { scheme: "HTTPS" }), /ECONNREFUSED/);
});
