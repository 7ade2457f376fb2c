import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { serverNameProblem } from "./server-names.ts";

const authority = createThrowawayAuthority();
const server = new X509Certificate(
  authority.serverCertificate({
    dnsNames: ["api.example.com", "*.shop.example.com"],
    ipAddresses: ["192.0.2.7"],
  }).certificateChainPem,
);
const ID = "spiffe://cluster.local/ns/shop/sa/api";
const workload = new X509Certificate(authority.svid(ID).certificateChainPem);

const rows: readonly [
  name: string,
  certificate: X509Certificate,
  names: string[],
  good: boolean,
][] = [
  ["its name", server, ["api.example.com"], true],
  ["its name in capitals", server, ["API.Example.com"], true],
  ["one of several", server, ["a.example.com", "api.example.com"], true],
  ["a label below its wildcard", server, ["web.shop.example.com"], true],
  ["two labels below it", server, ["a.web.shop.example.com"], false],
  ["the wildcard's own domain", server, ["shop.example.com"], false],
  ["another name", server, ["web.example.com"], false],
  ["a leading dot is no wildcard", server, [".example.com"], false],
  ["its address", server, ["192.0.2.7"], true],
  ["another address", server, ["192.0.2.8"], false],
  ["no name", server, [], false],
  ["an empty one", server, [""], false],
  ["its URI", workload, [ID], true],
  ["the beginning of its URI", workload, ["spiffe://cluster.local/ns/shop"], false],
  ["a URI of one that has none", server, [ID], false],
  ["a name of one that has none", workload, ["api"], false],
];
for (const [name, certificate, names, good] of rows) {
  test(`RFC 9525 ${name}: ${good ? "is" : "is not"} the server's`, () => {
    assert.equal(serverNameProblem(certificate, names) === undefined, good);
  });
}
