import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { issuerKeyId } from "../identity/issuer-key-id.ts";
import { WatchedValue } from "../runtime/watched.ts";
import type { Caller } from "../wire/grpc-service.ts";
import { authenticateCaller, UnauthenticatedCallerError } from "./caller.ts";

const CART = "spiffe://cluster.local/ns/shop/sa/cart";
const former = createThrowawayAuthority();
const active = createThrowawayAuthority();
const trust = new WatchedValue<{ readonly crlsPem: readonly string[] }>({ crlsPem: [] });
const distrusted = new WatchedValue<ReadonlySet<string>>(new Set());

const authenticate = authenticateCaller({
  trustDomain: "cluster.local",
  tokens: { verify: async () => ({ ...POD, serviceAccount: "cart" }) },
  isLivePod: () => true,
  isLiveAccount: ({ serviceAccount }) => serviceAccount === "cart",
  distrusted,
  trust,
  clock: { now: () => new Date() },
});
const POD = { namespace: "shop", podName: "cart-0", podUid: "uid-1" };

/** As the transport knows it: TLS has verified the certificate when the connection was made. */
function callerWith(pem: string, headers: Readonly<Record<string, string>> = {}): Caller {
  return {
    remoteAddress: "127.0.0.1:1",
    certificate: new X509Certificate(pem),
    headers: (name) => [headers[name] ?? []].flat(),
  };
}
const certificateOf = (authority: typeof former, id = CART): string =>
  authority.svid(id).certificateChainPem;
const keyOf = (authority: typeof former): string =>
  issuerKeyId(new X509Certificate(certificateOf(authority))) ?? "";

function assertRefused(caller: Caller, words: RegExp): Promise<void> {
  return assert.rejects(authenticate(caller), (error) => {
    assert.ok(error instanceof UnauthenticatedCallerError);
    assert.match(error.message, words);
    return true;
  });
}

test("a certificate proves its workload until its authority is revoked, and the other authority's beyond", async () => {
  const [old, current] = [former, active].map((authority) => callerWith(certificateOf(authority)));
  assert.ok(old !== undefined && current !== undefined);
  assert.deepEqual(await authenticate(old), { id: CART, by: "certificate" });
  distrusted.set(new Set([keyOf(former)]));
  try {
    await assertRefused(old, /is of authority key [0-9a-f]{40}, which is trusted no more/);
    assert.equal((await authenticate(current)).by, "certificate");
    const alsoToken = callerWith(certificateOf(former), { authorization: "Bearer good" });
    await assertRefused(alsoToken, /trusted no more/);
  } finally {
    distrusted.set(new Set());
  }
  assert.equal((await authenticate(old)).id, CART, "one that came back is trusted again");
});

test("a token needs no authority: who was left behind comes back with it", async () => {
  distrusted.set(new Set([keyOf(former)]));
  try {
    const caller = { remoteAddress: "", headers: () => ["Bearer good"] };
    assert.equal((await authenticate(caller)).by, "token");
  } finally {
    distrusted.set(new Set());
  }
});

test("a certificate that does not say who signed it is a matter of TLS alone", async () => {
  distrusted.set(new Set([keyOf(former)]));
  const silent = buildCertificate({
    subject: {},
    authority: false,
    usage: ["digitalSignature"],
    keyIdentifiers: false,
    uris: [CART],
  });
  try {
    assert.equal((await authenticate(callerWith(silent.pem))).id, CART);
  } finally {
    distrusted.set(new Set());
  }
});

const OTHERS: readonly (readonly [string, string, RegExp])[] = [
  ["a foreign trust domain", "spiffe://other/ns/shop/sa/cart", /names no workload/],
  ["what is no workload's identity", "spiffe://cluster.local/cart", /names no workload/],
  ["an account that no pod runs as", "spiffe://cluster.local/ns/shop/sa/gone", /no pod runs as/],
];
for (const [what, id, words] of OTHERS) {
  test(`a certificate of ${what} is refused`, () =>
    assertRefused(callerWith(certificateOf(active, id)), words));
}
