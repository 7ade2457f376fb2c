import assert from "node:assert/strict";
import { test } from "node:test";
import type { Gateway, GatewayServerSettings } from "./gateway.ts";
import { parseResources } from "./parse-resources.ts";

const parsed = (server: string): ReturnType<typeof parseResources> =>
  parseResources(
    `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge, namespace: shop}\nspec:\n  selector: {istio: ingress}\n  servers:\n  - {${server}}\n`,
    "f",
  );

const gateway = (server: string): Gateway => {
  const { resources, issues } = parsed(server);
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Gateway");
  return resource;
};
const serverOf = (server: string): GatewayServerSettings =>
  gateway(server).servers[0] ?? assert.fail("none");

test("a server has its line, its port, its hosts as written, and no TLS unless said", () => {
  const server =
    "name: s, port: {number: 80, name: http, protocol: HTTP2}, hosts: [./A.example.com]";
  assert.deepEqual(gateway(server).selector, { istio: "ingress" });
  assert.deepEqual(serverOf(server), {
    line: 7,
    name: "s",
    port: { number: 80, name: "http", protocol: "http" },
    hosts: ["./A.example.com"],
  });
});

const protocols: [written: string, read: string][] = [
  ["HTTP", "http"],
  ["http", "http"],
  ["GRPC", "http"],
  ["TCP", "tcp"],
  ["MONGO", "tcp"],
];
for (const [written, read] of protocols) {
  test(`protocol ${written} is ${read}`, () => {
    const { port } = serverOf(`port: {number: 80, name: p, protocol: ${written}}, hosts: ["*"]`);
    assert.equal(port.protocol, read);
  });
}

const secured = (tls: string): string =>
  `port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {${tls}}`;

test("TLS without a mode is passed on; a credential is one of one", () => {
  assert.equal(serverOf(secured("httpsRedirect: false")).tls?.mode, "PASSTHROUGH");
  const { tls } = serverOf(
    secured("mode: MUTUAL, credentialName: c, subjectAltNames: [a], minProtocolVersion: TLSV1_3"),
  );
  assert.deepEqual(
    [tls?.mode, tls?.credentialNames, tls?.subjectAltNames, tls?.minProtocolVersion],
    ["MUTUAL", ["c"], ["a"], "TLSV1_3"],
  );
  assert.deepEqual(
    serverOf(secured("mode: SIMPLE, credentialNames: [c, d]")).tls?.credentialNames,
    ["c", "d"],
  );
  assert.deepEqual(
    serverOf(secured("mode: SIMPLE, serverCertificate: /c, privateKey: /k")).tls?.files,
    ["/c", "/k"],
  );
});

const refused: [server: string, issue: RegExp][] = [
  [
    `bind: 10.0.0.1, ${secured("mode: PASSTHROUGH")}`,
    /servers\[0\]\.bind: not supported yet: bind$/,
  ],
  [
    secured("mode: MUTUAL, credentialName: c, insecureSkipVerify: true"),
    /insecureSkipVerify: must not be true/,
  ],
];
for (const [server, issue] of refused) {
  test(`refused: ${server}`, () => {
    const { issues } = parsed(server);
    assert.match(issues.map(({ path, problem }) => `${path}: ${problem}`).join("\n"), issue);
  });
}

test("a bind to every address says nothing", () => {
  assert.equal(serverOf(`bind: 0.0.0.0, ${secured("mode: PASSTHROUGH")}`).name, "");
});
