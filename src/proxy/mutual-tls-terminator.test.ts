import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { idOf, LOOPBACK, portOf, workloadView } from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
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
): Promise<readonly [client: unknown, server: unknown]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, LOOPBACK);
  await once(server, "listening");
  const client = connectTls({
    host: LOOPBACK,
    port: portOf(server),
    ALPNProtocols: [...offered],
    cert: caller.certificateChainPem,
    key: caller.privateKeyPem,
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
