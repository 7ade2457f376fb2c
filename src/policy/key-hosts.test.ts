import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "../api/parse-resources.ts";
import { type HostPlace, keyHosts } from "./key-hosts.ts";
import type { TokenKeySource } from "./token-key-source.ts";

const rule = (namespace: string, keys = "jwksUri: https://login.example.com/keys"): string => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: ${namespace}}
spec: {jwtRules: [{issuer: "https://login.example.com", ${keys}}]}
---`;

interface Entry {
  readonly hosts?: string;
  readonly rest?: string;
}

/** One that leads to 127.0.0.1. */
const entry = (
  namespace: string,
  { hosts = "login.example.com", rest = "resolution: STATIC" }: Entry = {},
): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: login, namespace: ${namespace}}
spec:
  hosts: ["${hosts}"]
  ports: [{name: https, number: 443, protocol: TLS}, {name: other, number: 8443, targetPort: 9443, protocol: TLS}]
  endpoints: [{address: ${namespace === "istio-system" ? "127.0.0.2" : "127.0.0.1"}, ports: {https: 18443}}]
  ${rest}
---`;

const SOURCE: TokenKeySource = { from: "uri", uri: "https://login.example.com/keys" };

function find(
  yaml: string,
  { host = "login.example.com", port = 443, source = SOURCE } = {},
): readonly HostPlace[] | undefined {
  const { resources, issues } = parseResources(yaml, "mesh.yaml");
  assert.deepEqual(issues, []);
  return keyHosts(resources, source)(host, port);
}

const OWN = [{ address: "127.0.0.1", port: 18_443 }];
const OF_THE_ROOT = [{ address: "127.0.0.2", port: 18_443 }];

test("a host is where an entry of the root namespace, or of the only namespace that names the keys, says", () => {
  assert.deepEqual(find(rule("shop") + entry("shop")), OWN);
  assert.deepEqual(find(rule("shop") + entry("istio-system")), OF_THE_ROOT);
  assert.deepEqual(find(rule("shop") + entry("shop") + entry("istio-system")), OF_THE_ROOT);
});

test("no namespace leads another's keys astray", () => {
  assert.equal(find(rule("shop") + entry("other")), undefined);
  assert.equal(find(rule("shop") + rule("other") + entry("shop")), undefined);
  assert.deepEqual(find(rule("shop") + rule("other") + entry("istio-system")), OF_THE_ROOT);
  const asked = rule("other", "timeout: 1s");
  assert.deepEqual(find(rule("shop") + asked + entry("shop")), OWN, "these are other keys");
  const source: TokenKeySource = { from: "issuer", issuer: "https://login.example.com" };
  assert.equal(find(rule("shop") + asked + entry("shop"), { source }), undefined);
});

test("an entry says it of its hosts and ports alone, and where it has endpoints", () => {
  const yaml = rule("shop") + entry("shop");
  assert.equal(find(yaml, { host: "www.example.com" }), undefined);
  assert.equal(find(yaml, { port: 80 }), undefined);
  assert.deepEqual(find(yaml, { port: 8443 }), [{ address: "127.0.0.1", port: 9_443 }]);
  const unsaid = entry("shop").replace(/endpoints: .*/, "");
  assert.equal(find(rule("shop") + unsaid.replace("STATIC", "DNS")), undefined);
});

test("a wildcard covers hosts below it, and gives way to the host itself", () => {
  const yaml = rule("shop") + entry("istio-system", { hosts: "*.example.com" });
  assert.deepEqual(find(yaml), OF_THE_ROOT);
  assert.equal(find(yaml, { host: "example.com" }), undefined);
  assert.equal(find(yaml, { host: "login.example.org" }), undefined);
  assert.deepEqual(find(yaml + entry("shop")), OWN);
});

test("an endpoint may have a name, which is looked up", () => {
  const yaml = entry("shop", { rest: "resolution: DNS" }).replace("127.0.0.1", "idp.internal");
  assert.deepEqual(find(rule("shop") + yaml), [{ address: "idp.internal", port: 18_443 }]);
});
