/** What callers say of themselves in headers that sidecars write, sent byte by byte to a sidecar's own socket (QK-34, QK-73). */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type EchoingSidecar, echoingSidecar, FRONTEND } from "../../test/kit/echoing-sidecar.ts";
import { idOf, policy } from "../../test/kit/sidecar-fixture.ts";

const FORGED = `By=${idOf("api")};Hash=${"ab".repeat(32)};URI=${idOf("admin")}`;
const XFCC = "X-Forwarded-Client-Cert";

let sidecar: EchoingSidecar;
after(() => sidecar.close());
test("a sidecar that lets 10.0.0.0/8 read /near, and everybody the rest", async () => {
  const near = policy("DENY", "near", {
    from: [{ notRemoteIpBlocks: ["10.0.0.0/8"] }],
    to: [{ paths: ["/near"] }],
  });
  sidecar = await echoingSidecar({ policies: [near] });
  assert.equal((await ask("", "/")).status, 200);
  assert.equal((await ask("", "/near")).status, 403);
});

const ask = (headers: string, path = "/", as?: typeof FRONTEND) =>
  sidecar.send(`GET ${path} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n${headers}\r\n`, as);

const callers: readonly [what: string, headers: string][] = [
  ["in one field", `${XFCC}: ${FORGED}\r\n`],
  ["in two fields", `${XFCC}: ${FORGED}\r\n${XFCC}: ${FORGED}\r\n`],
  ["with underscores", `X_Forwarded_Client_Cert: ${FORGED}\r\n`],
  ["with one underscore", `x-forwarded_client-cert: ${FORGED}\r\n`],
  ["named by Connection", `${XFCC}: ${FORGED}\r\nConnection: ${XFCC}\r\n`],
  ["in capitals", `${XFCC.toUpperCase()}: ${FORGED}\r\n`],
];
for (const [what, headers] of callers) {
  test(`QK-34, OBS-32: a caller in plaintext who says who it is, ${what}, is not heard`, async () => {
    const before = sidecar.reached.length;
    await ask(headers);
    const [reached] = sidecar.reached.slice(before);
    assert.ok(reached !== undefined);
    assert.ok(!reached.headers.includes(FORGED), reached.headers.join(" "));
  });

  test(`QK-34, OBS-36: a caller with a certificate who says it is another, ${what}: the last word is the sidecar's`, async () => {
    const before = sidecar.reached.length;
    await ask(headers, "/", FRONTEND);
    const [reached] = sidecar.reached.slice(before);
    const fields = reached?.headers ?? assert.fail();
    const told = fields.filter(
      (_, at) => fields[at - 1]?.toLowerCase().replaceAll("_", "-") === XFCC.toLowerCase(),
    );
    assert.equal(told.length, 1, fields.join(" "));
    assert.match(told[0] ?? "", new RegExp(`URI=${idOf("frontend")}$`));
  });
}

test("QK-34: behind a body nobody says who called", async () => {
  const before = sidecar.reached.length;
  const head =
    "POST / HTTP/1.1\r\nHost: api\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
  const { status } = await sidecar.send(`${head}0\r\n${XFCC}: ${FORGED}\r\n\r\n`);
  assert.equal(status, 400);
  assert.equal(sidecar.reached.length, before);
});

const addresses: readonly [what: string, headers: string, status: number][] = [
  ["the address of another before the last", "X-Forwarded-For: 10.1.2.3, 9.9.9.9\r\n", 403],
  [
    "in a second field before the last",
    "X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-For: 9.9.9.9\r\n",
    403,
  ],
  ["with a port", "X-Forwarded-For: 10.1.2.3:80\r\n", 403],
  ["in octal", "X-Forwarded-For: 012.1.2.3\r\n", 403],
  ["as one number", "X-Forwarded-For: 167772161\r\n", 403],
  ["with underscores", "X_Forwarded_For: 10.1.2.3\r\n", 403],
  ["in another header", "X-Envoy-External-Address: 10.1.2.3\r\n", 403],
  [
    "in the header of others",
    "Forwarded: for=10.1.2.3\r\nX-Real-IP: 10.1.2.3\r\nTrue-Client-IP: 10.1.2.3\r\n",
    403,
  ],
];
for (const [what, headers, status] of addresses)
  test(`QK-73, AP-51a: an address that is not the caller's, ${what}`, async () => {
    const before = sidecar.reached.length;
    assert.equal((await ask(headers, "/near")).status, status);
    assert.equal(sidecar.reached.length, before);
  });
