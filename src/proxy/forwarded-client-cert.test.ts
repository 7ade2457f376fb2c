import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { appendForwardedClientCert } from "./forwarded-client-cert.ts";

const own = parseSpiffeId("spiffe://cluster.local/ns/production/sa/api");
const id = parseSpiffeId("spiffe://cluster.local/ns/production/sa/frontend");
const peer = { id, certificateHash: "ab".repeat(32), serialNumber: "01", chain: [] };
const OURS = `By=${own};Hash=${peer.certificateHash};Subject="";URI=${id}`;
const append = (received: string | undefined): string =>
  appendForwardedClientCert(received, { own, peer });

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
