/** Key sets that lead where nobody outside may look: metadata services above all, by a redirect or by name (QK-51, JWT-85). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { parseCidr } from "../../api/cidr.ts";
import { keyAddressProblem } from "../../api/key-address-rules.ts";
import { FetchDocumentError, fetchDocument } from "./fetch-document.ts";
import { findKeySet } from "./find-key-set.ts";

/** All that can be listed is. */
const everything = ["0.0.0.0/0", "::/0"].flatMap((text) => parseCidr(text) ?? []);
const fetch = (uri: string): Promise<string> =>
  fetchDocument(uri, {
    timeoutMs: 2_000,
    addressProblem: (address) => keyAddressProblem(address, everything),
    findHost: () => undefined,
    extraRootsPem: [],
  });

let location = "";
let hops = 0;
let issuer = "";
const server: Server = createServer((request, response) => {
  hops++;
  if (request.url === "/.well-known/openid-configuration")
    response.end(JSON.stringify({ issuer, jwks_uri: location }));
  else response.writeHead(302, { location }).end();
});
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => server.close());

const METADATA = "latest/meta-data/iam/security-credentials/";
const traps: readonly [what: string, target: string][] = [
  ["the metadata service", `http://169.254.169.254/${METADATA}`],
  ["by one number", `http://2852039166/${METADATA}`],
  ["in octal", `http://0251.0376.0251.0376/${METADATA}`],
  ["in hexadecimal", `http://0xa9fea9fe/${METADATA}`],
  ["mapped into IPv6", `http://[::ffff:169.254.169.254]/${METADATA}`],
  ["by NAT64", `http://[64:ff9b::a9fe:a9fe]/${METADATA}`],
  ["by 6to4", `http://[2002:a9fe:a9fe::]/${METADATA}`],
  ["over IPv6", `http://[fd00:ec2::254]/${METADATA}`],
  ["of other clouds", "http://100.100.100.200/latest/meta-data/"],
  ["of Azure", "http://168.63.129.16/machine?comp=goalstate"],
  ["with credentials before it", `http://login.example@169.254.169.254/${METADATA}`],
  ["link-local", "http://[fe80::1]/keys"],
  ["a file", "file:///etc/passwd"],
  ["another protocol", "gopher://127.0.0.1:6379/_FLUSHALL"],
];
for (const [what, target] of traps) {
  test(`QK-51: a key set that is moved to ${what}`, async () => {
    location = target;
    await assert.rejects(
      findKeySet({ from: "uri", uri: `${issuer}/keys` }, fetch),
      FetchDocumentError,
    );
  });

  test(`QK-51: an issuer whose keys are said to be at ${what}`, async () => {
    location = target;
    await assert.rejects(findKeySet({ from: "issuer", issuer }, fetch), FetchDocumentError);
  });
}

test("QK-51: redirects in a circle end", async () => {
  location = `${issuer}/again`;
  const before = hops;
  await assert.rejects(
    findKeySet({ from: "uri", uri: `${issuer}/keys` }, fetch),
    FetchDocumentError,
  );
  assert.ok(hops - before < 10, `${hops - before} hops`);
});
