import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { buildCertificate } from "../../test/kit/certificate-builder.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import {
  CLIENT_CERT_DETAILS,
  type ClientCertDetail,
  DEFAULT_PROXY_HEADERS,
  type ForwardClientCertMode,
} from "../api/proxy-headers.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { ClientCertForwarding } from "./forwarded-client-cert.ts";

const own = parseSpiffeId("spiffe://cluster.local/ns/production/sa/api");
const id = parseSpiffeId("spiffe://cluster.local/ns/production/sa/frontend");
const peer = { id, certificateHash: "ab".repeat(32), serialNumber: "01", chain: [] };
const OURS = `By=${own};Hash=${peer.certificateHash};Subject="";URI=${id}`;
const appending = new ClientCertForwarding(own, DEFAULT_PROXY_HEADERS);
const append = (received: string | undefined): string => appending.forward(received, peer) ?? "";

const SENT = "By=spiffe://a/b;URI=spiffe://c/d";
const modes: [
  mode: ForwardClientCertMode,
  mutual: string | undefined,
  other: string | undefined,
][] = [
  ["SANITIZE", undefined, undefined],
  ["FORWARD_ONLY", SENT, undefined],
  ["APPEND_FORWARD", `${SENT},${OURS}`, undefined],
  ["SANITIZE_SET", OURS, undefined],
  ["ALWAYS_FORWARD_ONLY", SENT, SENT],
];
for (const [forwardedClientCert, mutual, other] of modes) {
  test(`OBS-31, OBS-32: ${forwardedClientCert}, with mutual TLS and without`, () => {
    const forwarding = new ClientCertForwarding(own, {
      ...DEFAULT_PROXY_HEADERS,
      forwardedClientCert,
    });
    assert.equal(forwarding.forward(SENT, peer), mutual);
    assert.equal(forwarding.forward(SENT, undefined), other);
  });
}

const certified = buildCertificate({
  subject: { organization: 'A "B", Inc', commonName: "caf\u00e9" },
  dnsNames: ["www.example.com", "b.example, DNS:forged.example"],
});
const pem = certified.certificate.toString();
const details: [detail: ClientCertDetail, told: string][] = [
  ["cert", `;Cert="${encodeURIComponent(pem)}"`],
  ["chain", `;Chain="${encodeURIComponent(pem)}"`],
  ["subject", String.raw`;Subject="CN=caf\C3\A9,O=A \"B\"\, Inc"`],
  ["uri", `;URI=${id}`],
  ["dns", ";DNS=www.example.com"],
];
const telling = (clientCertDetails: readonly ClientCertDetail[]): string | undefined =>
  new ClientCertForwarding(own, { ...DEFAULT_PROXY_HEADERS, clientCertDetails }).forward(
    undefined,
    { ...peer, chain: [certified.certificate] },
  );
for (const [detail, told] of details) {
  test(`OBS-33: the detail ${detail}`, () => {
    assert.equal(telling([detail]), `By=${own};Hash=${peer.certificateHash}${told}`);
  });
}

test("OBS-33: a certificate without a name", () => {
  const nameless = createThrowawayAuthority().svid(id);
  const chain = [new X509Certificate(nameless.certificateChainPem)];
  assert.equal(appending.forward(undefined, { ...peer, chain }), OURS);
});

test("OBS-33: all details, and another sidecar takes the list for one", () => {
  const all = telling(CLIENT_CERT_DETAILS);
  assert.equal(append(all), `${all},${OURS}`);
});

const kept: string[] = [
  "By=spiffe://a/b;URI=spiffe://c/d",
  'By=spiffe://a/b;Hash=00ff;Subject="";URI=spiffe://c/d',
  'Subject="CN=\\"x\\",O=y;z";DNS=a.example;DNS=b.example',
  "URI=spiffe://a/b,URI=spiffe://c/d",
  "URI=spiffe://a/b, URI=spiffe://c/d",
  "by=;uri=spiffe://a/b",
  'Cert="-----BEGIN%20CERTIFICATE-----%0A";Chain="x"',
];
for (const received of kept) {
  test(`OBS-33, OBS-36: ${received} stays before our element`, () =>
    assert.equal(append(received), `${received},${OURS}`));
}

const dropped: [what: string, received: string | undefined][] = [
  ["nothing", undefined],
  ["an empty value", ""],
  ["an open quote", 'Subject="'],
  ["an open quote later", 'URI=spiffe://a/b,Subject="CN=x'],
  ["a quote that is escaped and never closed", 'Subject="x\\"'],
  ["a quote in the middle of a value", 'URI=spiffe://a/b";By=x'],
  ["something behind a quoted value", 'Subject="x"y'],
  ["a key that is not known", "Name=x"],
  ["no key", "spiffe://a/b"],
  ["an empty element", "URI=a,,URI=b"],
  ["an empty pair", "URI=a;;By=b"],
  ["a comma at the end", "URI=a,"],
  ["an equals sign in an unquoted value", "URI=a=b"],
  ["a backslash in an unquoted value", "URI=a\\"],
  ["a space in an unquoted value", "URI=a b"],
];
for (const [what, received] of dropped) {
  test(`OBS-33: ${what} is left out`, () => assert.equal(append(received), OURS));
}

/** As a lenient reader does: quotes toggle, a backslash within them takes the next character. */
function elementsOf(value: string): string[] {
  const elements = [""];
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const character = value[at] ?? "";
    if (quoted && character === "\\") elements.push(`${elements.pop()}${character}${value[++at]}`);
    else if (character === "," && !quoted) elements.push("");
    else elements.push(`${elements.pop()}${character}`);
    if (character === '"') quoted = !quoted;
  }
  return elements;
}

test("OBS-36: whatever was received, the last element is ours, for every reader", () => {
  const pieces = fc.constantFrom("By=", "URI=", "Subject=", '"', "\\", ",", ";", "=", "a", " ");
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (received) => {
      assert.equal(elementsOf(append(received.join(""))).at(-1), OURS);
    }),
    { numRuns: 2_000 },
  );
});

test("a value as long as headers may be is read at once", () => {
  const since = performance.now();
  append(`Subject="${'\\"'.repeat(30_000)}`);
  append("URI=a,".repeat(10_000));
  append('Subject="a",'.repeat(5_000));
  assert.ok(performance.now() - since < 1_000);
});
