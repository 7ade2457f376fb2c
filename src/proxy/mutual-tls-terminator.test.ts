import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { idOf, LOOPBACK, portOf, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { Trust } from "../policy/workload-view.ts";
import { readFirstBytes } from "./first-bytes.ts";
import { MULTIPLEXED_HTTP_1, OFFERED_PROTOCOLS } from "./mesh-protocols.ts";
import { MutualTlsTerminator } from "./mutual-tls-terminator.ts";
import { detectTls } from "./protocol-detection.ts";

const mesh = createThrowawayAuthority();
const { trust } = workloadView({ rootsPem: [mesh.rootPem] });
const terminator = new MutualTlsTerminator({ svid: mesh.svid(idOf("api")), trust });
const caller = mesh.svid(idOf("frontend"));
const sockets: Socket[] = [];
after(() => {
  for (const socket of sockets) socket.destroy();
});

/** What both ends say they agreed on, after a handshake that neither broke off. */
async function agreedOn(
  offered: readonly string[],
  serve: "http" | "tcp",
  from: X509Svid = caller,
): Promise<readonly [client: unknown, server: unknown]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, LOOPBACK);
  await once(server, "listening");
  const client = connectTls({
    host: LOOPBACK,
    port: portOf(server),
    ALPNProtocols: [...offered],
    cert: from.certificateChainPem,
    key: from.privateKeyPem,
    rejectUnauthorized: false,
  });
  const [accepted] = await once(server, "connection");
  server.close();
  sockets.push(client, accepted);
  const secured = once(client, "secureConnect");
  const first = await readFirstBytes(accepted, { detect: detectTls });
  assert.ok(first?.detected.kind === "tls");
  const hello = first.detected.hello.applicationProtocols;
  assert.deepEqual(hello, offered);
  const termination = await terminator.terminate(accepted, { offered: hello, serve });
  assert.ok("peer" in termination, JSON.stringify(termination));
  assert.equal(termination.peer.id, idOf("frontend"));
  await secured;
  return [client.alpnProtocol, termination.socket.alpnProtocol];
}

const rows: [offered: readonly string[], http: string | false, tcp: string | false][] = [
  [OFFERED_PROTOCOLS["HTTP/1.1"], MULTIPLEXED_HTTP_1, "http/1.1"],
  [OFFERED_PROTOCOLS["HTTP/2"], "h2", false],
  [OFFERED_PROTOCOLS.upgrade, "http/1.1", "http/1.1"],
  [OFFERED_PROTOCOLS.tcp, false, false],
  [["istio-http/1.0", "istio", "http/1.0"], false, false],
  [["istio-peer-exchange", "istio", "h2"], "h2", false],
  [["http/1.1", "h2"], "h2", "http/1.1"],
  [["h2"], "h2", false],
  [["imap"], false, false],
  [[], false, false],
];
for (const [offered, http, tcp] of rows) {
  test(`TLS-2: of [${offered.join(", ")}] a callee chooses ${http || "nothing"} for HTTP, ${tcp || "nothing"} for bytes`, async () => {
    assert.deepEqual(await agreedOn(offered, "http"), [http, http]);
    assert.deepEqual(await agreedOn(offered, "tcp"), [tcp, tcp]);
  });
}

test("TLS-2: a new certificate is served whatever is agreed on", async () => {
  const newest = mesh.svid(idOf("api"));
  terminator.setCredentials({ svid: newest, trust });
  assert.equal((await terminator.served())?.serialNumber, newest.serialNumber);
  for (const offered of [["h2"], ["imap"]]) await agreedOn(offered, "http");
});

test("TLS-2: callers of another root are served once it is trusted, by the certificate that is served already", async () => {
  const other = createThrowawayAuthority();
  const svid = mesh.svid(idOf("api"));
  terminator.setCredentials({ svid, trust });
  const stranger = other.svid(idOf("frontend"));
  await assert.rejects(agreedOn(["h2"], "http", stranger), /the certificate is not trusted/);
  terminator.setCredentials({
    svid,
    trust: { ...trust, rootsPem: [mesh.rootPem, other.rootPem] },
  });
  assert.deepEqual(await agreedOn(["h2"], "http", stranger), ["h2", "h2"]);
});

test("views that change nothing of TLS make no contexts: memory that no collector knows of", () => {
  const svid = mesh.svid(idOf("api"));
  const milliseconds = (versions: readonly Trust["minimumTlsVersion"][], turns: number): number => {
    const before = process.cpuUsage();
    for (let turn = 0; turn < turns; turn++)
      for (const minimumTlsVersion of versions)
        terminator.setCredentials({ svid, trust: { ...trust, minimumTlsVersion } });
    return process.cpuUsage(before).user / 1_000;
  };
  const changing = milliseconds(["TLSv1.2", "TLSv1.3"], 25);
  const unchanged = milliseconds(["TLSv1.3"], 500);
  assert.ok(unchanged < changing, `${unchanged} ms, and ${changing} ms for a tenth that change`);
});
