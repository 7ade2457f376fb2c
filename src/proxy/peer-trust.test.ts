import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { after, test } from "node:test";
import { buildCertificate, buildRevocationList } from "../../test/kit/certificate-builder.ts";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import type { PortProtocol } from "../api/service.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { WorkloadView } from "../policy/workload-view.ts";

const sidecars: TestSidecar[] = [];
after(() => Promise.all(sidecars.map(({ sidecar }) => sidecar.close())));

const root = buildCertificate({ subject: { organization: "Ours" } });
const elsewhere = buildCertificate({ subject: { organization: "Elsewhere" } });

function svidOf(name: string, serialNumber: string, issuer = root): X509Svid {
  const built = buildCertificate({
    subject: {},
    issuer,
    serialNumber,
    authority: false,
    usage: ["digitalSignature"],
    uris: [idOf(name)],
  });
  return {
    id: parseSpiffeId(idOf(name)),
    certificateChainPem: built.pem,
    privateKeyPem: built.keyPem,
    serialNumber: built.certificate.serialNumber,
    issuedAt: new Date(),
    notAfter: new Date(built.certificate.validTo),
  };
}

function withLists(view: WorkloadView, ...crlsPem: readonly string[]): WorkloadView {
  return { ...view, trust: { ...view.trust, crlsPem } };
}

const revoking = (serialNumber: string): string =>
  buildRevocationList(root, { revoked: [{ serialNumber }] });

interface Pair {
  readonly api: TestSidecar;
  readonly frontend: TestSidecar;
  readonly apiView: WorkloadView;
  readonly frontendView: WorkloadView;
  readonly listen: number;
}

/** A caller and a callee that says back what it hears. */
async function startPair(options: {
  readonly protocol: PortProtocol;
  readonly frontendRoot?: typeof root;
}): Promise<Pair> {
  const { protocol, frontendRoot = root } = options;
  const application = createServer((socket) => {
    if (protocol === "tcp") socket.pipe(socket);
    else socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
  });
  application.listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const [port, listen] = [await freePort(), await freePort()];
  const ports = [inboundPort({ listen: port, application: portOf(application), protocol })];
  const apiView = workloadView({ rootsPem: [root.pem], ports });
  const api = await startTestSidecar({ view: apiView, svid: svidOf("api", "0a") });
  const destinations = [destination({ name: "api", port, listen, protocol })];
  const rootsPem = [frontendRoot.pem];
  const frontendView = workloadView({ name: "frontend", rootsPem, destinations });
  const svid = svidOf("frontend", "0f", frontendRoot);
  const frontend = await startTestSidecar({ view: frontendView, svid });
  sidecars.push(api, frontend);
  return { api, frontend, apiView, frontendView, listen };
}

async function get(listen: number): Promise<number | undefined> {
  const [reply] = await once(request({ port: listen, host: LOOPBACK }).end(), "response");
  reply.resume();
  return reply.statusCode;
}

test("CA-50: a caller whose certificate is on a revocation list is refused, with its serial number", async () => {
  const { api, apiView, listen } = await startPair({ protocol: "http" });
  api.views.set(withLists(apiView, revoking("0b")));
  assert.equal(await get(listen), 200, "CA-51: no list speaks of it");
  api.views.set(withLists(apiView, revoking("0f")));
  assert.notEqual(await get(listen), 200);
  const { decision } = await api.entry(({ response_code }) => response_code !== 200);
  assert.ok(decision?.reason.because === "peer-not-verified");
  assert.match(decision.reason.problem, /certificate 0?F is revoked/);
});

test("CA-50: a callee whose certificate is on a revocation list gets no request", async () => {
  const { api, frontend, frontendView, listen } = await startPair({ protocol: "http" });
  assert.equal(await get(listen), 200);
  frontend.views.set(withLists(frontendView, revoking("0a")));
  assert.equal(await get(listen), 503);
  const entry = await frontend.entry(({ response_code }) => response_code === 503);
  assert.match(String(entry.upstream_transport_failure_reason), /certificate 0?A is revoked/);
  assert.equal(api.entries.filter(({ response_code }) => response_code === 200).length, 1);
});

const between = buildCertificate({
  subject: { organization: "Between" },
  issuer: root,
  serialNumber: "1a",
});
const stray = buildCertificate({ subject: { organization: "Stray" } });
const chains: readonly [order: string, pem: readonly string[], refused: RegExp][] = [
  ["in order", [between.pem], /certificate 1A of "O=Between" is revoked/],
  ["twice", [between.pem, between.pem], /certificate 1A of "O=Between" is revoked/],
  ["behind a stray root", [stray.pem, between.pem], /issue|issuer|not issued|leads/i],
];
for (const [order, above, refused] of chains) {
  test(`CA-50: whose authority is on a revocation list is refused, its chain sent ${order}`, async () => {
    const { api, frontend, apiView, listen } = await startPair({ protocol: "http" });
    const own = svidOf("frontend", "0c", between);
    frontend.svid.set({ ...own, certificateChainPem: own.certificateChainPem + above.join("") });
    assert.equal(await get(listen), 200);
    api.views.set(withLists(apiView, revoking("1a")));
    assert.notEqual(await get(listen), 200);
    const { decision } = await api.entry(({ response_code }) => response_code !== 200);
    assert.ok(decision?.reason.because === "peer-not-verified");
    assert.match(decision.reason.problem, refused);
  });
}

for (const side of ["caller", "callee"] as const) {
  test(`a connection that stands ends when the ${side}'s certificate is revoked, and not before`, async () => {
    const { api, frontend, apiView, frontendView, listen } = await startPair({ protocol: "tcp" });
    const socket = connect({ port: listen, host: LOOPBACK });
    socket.on("error", () => socket.destroy());
    let heard = "";
    socket.on("data", (chunk: Buffer) => {
      heard += chunk;
    });
    socket.write("one");
    await eventually("an echo", () => heard === "one");
    const list = (serial: string): void => {
      if (side === "caller") api.views.set(withLists(apiView, revoking(serial)));
      else frontend.views.set(withLists(frontendView, revoking(serial)));
    };
    list("77");
    socket.write("two");
    await eventually("another echo", () => heard === "onetwo");
    list(side === "caller" ? "0f" : "0a");
    await once(socket, "close");
    if (side === "callee") {
      const { fields } = await frontend.line("outbound connection ended by a change of trust");
      assert.match(String(fields["problem"]), /certificate 0?A is revoked/);
    } else await api.line("connection ended by a change of policy");
  });
}

test("a foreign root is refused at the handshake, and both sides say which it is and which they trust", async () => {
  const { api, frontend, listen } = await startPair({
    protocol: "http",
    frontendRoot: elsewhere,
  });
  assert.equal(await get(listen), 503);
  const sha256 = "\\(SHA-256 [0-9a-f]{16}\\)";
  const callers = await frontend.entry();
  assert.match(
    String(callers.upstream_transport_failure_reason),
    new RegExp(`leads to "O=Ours" ${sha256}, and trusted here is "O=Elsewhere" ${sha256}`),
  );
  const callees = await api.entry();
  assert.ok(callees.decision?.reason.because === "peer-not-verified");
  assert.match(
    callees.decision.reason.problem,
    new RegExp(`leads to "O=Elsewhere" ${sha256}, and trusted here is "O=Ours" ${sha256}`),
  );
});
