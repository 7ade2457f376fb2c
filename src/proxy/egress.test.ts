/** Destinations outside the mesh, through a real sidecar and its HTTP proxy: found by name, called by TLS of others. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, request, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import { OUTSIDE_HOST as HOST, outsideDestination } from "../../test/kit/outside-destination.ts";
import {
  idOf,
  LOOPBACK,
  PROXY_PASSWORD,
  portOf,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { TlsMaterial, TlsOrigination } from "../policy/tls-origination.ts";
import type { Destination } from "../policy/workload-view.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
/** Of the world outside. */
const outside = createThrowawayAuthority({ trustDomain: "outside.example" });
const folder = await mkdtemp(join(tmpdir(), "egress-"));
after(() => rm(folder, { recursive: true, force: true }));

async function client(...destinations: readonly Destination[]) {
  const httpProxy = await freePort();
  const view = (next: readonly Destination[]) =>
    workloadView({ name: "frontend", rootsPem, httpProxy, destinations: next });
  const started = await start({ view: view(destinations), svid: mesh.svid(idOf("frontend")) });
  const change = (...next: readonly Destination[]): void => started.views.set(view(next));
  return { ...started, change, get: (url: string) => get(httpProxy, url) };
}

interface Reply {
  readonly status: number | undefined;
  readonly body: string;
}

async function get(proxy: number, url: string): Promise<Reply> {
  const credentials = Buffer.from(`frontend-0:${PROXY_PASSWORD}`).toString("base64");
  const outgoing = request({
    port: proxy,
    host: LOOPBACK,
    path: url,
    headers: { host: new URL(url).host, "proxy-authorization": `Basic ${credentials}` },
    agent: false,
  }).end();
  const [incoming] = await once(outgoing, "response");
  let body = "";
  for await (const chunk of incoming) body += chunk;
  return { status: incoming.statusCode, body };
}

/** Says by which name, and by whose certificate, it was called. */
async function tlsServer(
  dnsNames: readonly string[],
  { clients }: { readonly clients?: "asked for certificates" } = {},
): Promise<Server> {
  const { certificateChainPem: cert, privateKeyPem: key } = outside.serverCertificate({ dnsNames });
  const mutual = { requestCert: true, rejectUnauthorized: true, ca: outside.rootPem };
  return listening(
    createHttpsServer({ cert, key, ...(clients && mutual) }, ({ socket, headers }, response) => {
      const { servername, getPeerX509Certificate } = socket as TLSSocket;
      const peer = getPeerX509Certificate.call(socket)?.subjectAltName ?? "nobody";
      response.end(`${headers.host} ${servername} ${peer}`);
    }),
  );
}

const secret = (parts: Partial<Extract<TlsMaterial, { from: "secret" }>> = {}): TlsMaterial => ({
  from: "secret",
  name: "production/outside",
  caPem: outside.rootPem,
  ...parts,
});

function simple(parts: Partial<TlsOrigination> = {}): TlsOrigination {
  return { mode: "SIMPLE", verification: "name", material: secret(), ...parts };
}

test("the host of a ServiceEntry is called by its name, on its ports alone", async () => {
  const server = await listening(createHttpServer((_, response) => response.end("outside")));
  const { get: ask } = await client(outsideDestination({ port: portOf(server) }));
  assert.deepEqual(await ask(`http://${HOST}/`), { status: 200, body: "outside" });
  assert.equal((await ask(`http://${HOST}:81/`)).status, 502);
  const unknown = await ask("http://elsewhere.example/");
  assert.equal(unknown.status, 502);
  assert.match(unknown.body, /REGISTRY_ONLY.*ServiceEntry/);
});

test("resolution NONE: a wildcard host is called where its name leads", async () => {
  const server = await listening(
    createHttpServer(({ headers }, response) => response.end(headers.host)),
  );
  const servicePort = portOf(server);
  const { get: ask } = await client(
    outsideDestination({
      host: "*.localdomain",
      servicePort,
      serviceEntry: { resolution: "NONE" },
    }),
    outsideDestination({ host: "localhost", servicePort, serviceEntry: { resolution: "NONE" } }),
  );
  assert.equal((await ask(`http://localhost:${servicePort}/`)).body, `localhost:${servicePort}`);
  assert.equal((await ask(`http://localdomain:${servicePort}/`)).status, 502);
});

test("resolution DNS: endpoints are looked up, and follow their names", async () => {
  const server = await listening(createHttpServer((_, response) => response.end("found")));
  const lookUp = (host: string) => [
    { workload: host, host, port: portOf(server), mutualTls: false },
  ];
  const dns = (host: string) =>
    outsideDestination({ serviceEntry: { resolution: "DNS", lookUp: lookUp(host) } });
  const { get: ask, change, line } = await client(dns("localhost"));
  assert.deepEqual(await ask(`http://${HOST}/`), { status: 200, body: "found" });
  change(dns("nobody.invalid"));
  await line("host not found");
  const lost = await ask(`http://${HOST}/`);
  assert.equal(lost.status, 503);
  assert.match(lost.body, /"nobody\.invalid" could not be looked up/);
});

const verdicts: readonly {
  readonly name: string;
  readonly server: readonly string[];
  readonly tls: TlsOrigination;
  /** Absent: it is refused, for this reason. */
  readonly refused?: RegExp;
}[] = [
  { name: "the host that is called (TLS-37)", server: [HOST], tls: simple() },
  { name: "a wildcard of one label", server: ["*.outside.example"], tls: simple() },
  {
    name: "another name",
    server: ["other.example"],
    tls: simple(),
    refused: /not of api\.outside/,
  },
  { name: "a wildcard too short", server: ["*.example"], tls: simple(), refused: /not of api/ },
  {
    name: "subjectAltNames count instead of the host",
    server: ["other.example"],
    tls: simple({ subjectAltNames: ["third.example", "other.example"] }),
  },
  {
    name: "subjectAltNames without the server's",
    server: [HOST],
    tls: simple({ subjectAltNames: ["other.example"] }),
    refused: /not of other\.example/,
  },
  {
    name: "a server name of its own, no subjectAltNames: any name (TLS-37)",
    server: ["other.example"],
    tls: simple({ sni: "inner.example", verification: "authority" }),
  },
  {
    name: "an authority that nobody trusts",
    server: [HOST],
    tls: simple({ material: secret({ caPem: mesh.rootPem }) }),
    refused: /not trusted/,
  },
  {
    name: "the same, and verification skipped",
    server: [HOST],
    tls: simple({ material: secret({ caPem: mesh.rootPem }), verification: "nothing" }),
  },
  {
    name: "nobody's certificates: never plaintext (TLS-39)",
    server: [HOST],
    tls: simple({ material: { from: "nowhere", problem: "Secret production/x is not there" } }),
    refused: /Secret production\/x is not there/,
  },
  {
    name: "authorities that are none",
    server: [HOST],
    tls: simple({ material: secret({ caPem: "none" }) }),
    refused: /no certificate among the trusted authorities/,
  },
];

for (const { name, server, tls, refused } of verdicts) {
  test(`SIMPLE, ${name}: ${refused === undefined ? "called" : "refused"}`, async () => {
    const callee = await tlsServer(server);
    const { get: ask, entries } = await client(
      outsideDestination({ port: portOf(callee), tlsOrigination: tls }),
    );
    const { status, body } = await ask(`http://${HOST}/`);
    if (refused === undefined) {
      assert.deepEqual([status, body], [200, `${HOST} ${tls.sni ?? HOST} nobody`]);
      return;
    }
    assert.equal(status, 503);
    const entry = await eventually("its entry", () => entries[0]);
    assert.equal(entry.response_flags, "UF");
    assert.match(String(entry.upstream_transport_failure_reason), refused);
  });
}

test("a wildcard host: each name is proved for itself, at the same endpoint, too (TLS-37)", async () => {
  const callee = await tlsServer(["a.outside.example"]);
  const { get: ask } = await client(
    outsideDestination({
      host: "*.outside.example",
      port: portOf(callee),
      tlsOrigination: simple(),
    }),
  );
  assert.equal((await ask("http://a.outside.example/")).status, 200);
  assert.equal((await ask("http://b.outside.example/")).status, 503);
  assert.equal((await ask("http://a.outside.example/")).status, 200);
});

test("MUTUAL, from files that change: connections from then on stand on the new ones (TLS-31)", async () => {
  const callee = await tlsServer([HOST], { clients: "asked for certificates" });
  const own = (name: string) => outside.serverCertificate({ dnsNames: [name] });
  const [certificate, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const authorities = join(folder, "ca.pem");
  const write = async (name: string): Promise<void> => {
    const { certificateChainPem, privateKeyPem } = own(name);
    await writeFile(certificate, certificateChainPem);
    await writeFile(key, privateKeyPem);
  };
  await writeFile(authorities, outside.rootPem);
  await write("one.client");
  const material = {
    from: "files",
    caCertificates: authorities,
    clientCertificate: certificate,
    privateKey: key,
  } as const;
  const { get: ask } = await client(
    outsideDestination({
      port: portOf(callee),
      tlsOrigination: { mode: "MUTUAL", verification: "name", material },
    }),
  );
  assert.match((await ask(`http://${HOST}/`)).body, /one\.client/);
  await write("other.client");
  await eventually("the new certificate", async () =>
    /other\.client/.test((await ask(`http://${HOST}/`)).body),
  );
  await writeFile(key, "broken");
  assert.match((await ask(`http://${HOST}/`)).body, /other\.client/);
});

test("MUTUAL: a server that refuses the client's certificate is not called without", async () => {
  const callee = await tlsServer([HOST], { clients: "asked for certificates" });
  const { get: ask } = await client(
    outsideDestination({ port: portOf(callee), tlsOrigination: simple() }),
  );
  assert.equal((await ask(`http://${HOST}/`)).status, 503);
});
