import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { WatchedValue } from "../runtime/watched.ts";
import type { Caller } from "../wire/grpc-service.ts";
import { authenticateCaller, UnauthenticatedCallerError } from "./caller.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const POD = { namespace: "shop", podName: "cart-0", podUid: "uid-1", serviceAccount: "cart" };
const former = createThrowawayAuthority();
const active = createThrowawayAuthority();
const trust = new WatchedValue<{
  readonly rootsPem: readonly string[];
  readonly crlsPem: readonly string[];
}>({ rootsPem: [former.rootPem, active.rootPem], crlsPem: [] });
/** By serial number. */
const book = new Map<
  string,
  { readonly identity: ReturnType<typeof parseSpiffeId>; readonly pod: typeof POD }
>();
let uidsThatRun = ["uid-1"];
let aheadMs = 0;

const authenticate = authenticateCaller({
  trustDomain: "cluster.local",
  tokens: { verify: async () => POD },
  isLivePod: ({ uid }) => uidsThatRun.includes(uid),
  holderOf: (serial) => book.get(serial),
  trust,
  clock: { now: () => new Date(Date.now() + aheadMs) },
});

/** As the transport knows it: TLS has verified the certificate when the connection was made. */
function callerWith(pem: string, headers: Readonly<Record<string, string>> = {}): Caller {
  return {
    remoteAddress: "127.0.0.1:1",
    certificate: new X509Certificate(pem),
    headers: (name) => [headers[name] ?? []].flat(),
  };
}

/** Issued, and written down. */
function certificateOf(authority: typeof former, { id = CART, pod = POD } = {}): string {
  const { certificateChainPem: pem } = authority.svid(id);
  book.set(new X509Certificate(pem).serialNumber, { identity: parseSpiffeId(id), pod });
  return pem;
}

function assertRefused(caller: Caller, words: RegExp): Promise<void> {
  return assert.rejects(authenticate(caller), (error) => {
    assert.ok(error instanceof UnauthenticatedCallerError);
    assert.match(error.message, words);
    return true;
  });
}

test("a certificate proves its workload and its pod until its root leaves, and the other root's beyond", async () => {
  const [old, current] = [former, active].map((authority) => callerWith(certificateOf(authority)));
  assert.ok(old !== undefined && current !== undefined);
  const both = trust.current;
  assert.deepEqual(await authenticate(old), { id: CART, by: "certificate", pod: POD });
  trust.set({ ...both, rootsPem: [active.rootPem] });
  try {
    await assertRefused(old, /is not trusted any more/);
    assert.equal((await authenticate(current)).by, "certificate");
    const alsoToken = callerWith(certificateOf(former), { authorization: "Bearer good" });
    await assertRefused(alsoToken, /is not trusted any more/);
    const token = { remoteAddress: "", headers: () => ["Bearer good"] };
    assert.equal((await authenticate(token)).by, "token", "who was left behind comes back with it");
  } finally {
    trust.set(both);
  }
  assert.equal((await authenticate(old)).id, CART, "one that came back is trusted again");
});

test("a certificate proves nothing once it has ended, whatever its connection is", async () => {
  const caller = callerWith(certificateOf(active));
  assert.equal((await authenticate(caller)).id, CART);
  aheadMs = 25 * 3_600_000;
  try {
    await assertRefused(caller, /^the client certificate expired at/);
  } finally {
    aheadMs = 0;
  }
});

test("a certificate dies with its pod, although another pod of the account runs", async () => {
  const caller = callerWith(certificateOf(active));
  const sibling = { ...POD, podName: "cart-1", podUid: "uid-2" };
  const other = callerWith(certificateOf(active, { pod: sibling }));
  uidsThatRun = ["uid-2"];
  try {
    await assertRefused(
      caller,
      /certificate is for pod shop\/cart-0 \(uid-1\), which does not run/,
    );
    assert.equal((await authenticate(other)).pod, sibling);
  } finally {
    uidsThatRun = ["uid-1"];
  }
});

test("a certificate that the issue log does not know, or knows for another identity, buys nothing", async () => {
  const unknown = callerWith(active.svid(CART).certificateChainPem);
  await assertRefused(
    unknown,
    /the issue log knows no pod to which certificate [0-9A-F]+ of .*; a token is needed/,
  );
  const bank = active.svid("spiffe://cluster.local/ns/shop/sa/bank").certificateChainPem;
  book.set(new X509Certificate(bank).serialNumber, { identity: parseSpiffeId(CART), pod: POD });
  await assertRefused(callerWith(bank), /knows no pod/);
});

const OTHERS: readonly (readonly [string, string, RegExp])[] = [
  ["a foreign trust domain", "spiffe://other/ns/shop/sa/cart", /names no workload/],
  ["what is no workload's identity", "spiffe://cluster.local/cart", /names no workload/],
];
for (const [what, id, words] of OTHERS) {
  test(`a certificate of ${what} is refused`, () =>
    assertRefused(callerWith(certificateOf(active, { id })), words));
}
