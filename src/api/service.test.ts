import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import type { PortProtocol } from "./service.ts";

const HEAD = `apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
`;
const parse = (spec: string) => parseResources(`${HEAD}${spec}`, "mesh.yaml");
const issues = (spec: string): string[] =>
  parse(spec).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);

function service(spec: string) {
  const { resources, issues: found } = parse(spec);
  assert.deepEqual(found, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Service");
  return resource;
}

test("a service with a number, a name and no target port", () => {
  const { meta, ...rest } = service(`spec:
  selector: {app: api}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: tcp-db, port: 81, targetPort: db}
  - {name: other, port: 82}`);
  assert.equal(meta.source.line, 1);
  assert.deepEqual(rest, {
    kind: "Service",
    selector: { app: "api" },
    ports: [
      { name: "http", port: 80, targetPort: 8080, protocol: "http" },
      { name: "tcp-db", port: 81, targetPort: "db", protocol: "tcp" },
      { name: "other", port: 82, targetPort: 82, protocol: "auto" },
    ],
    headless: false,
    publishNotReadyAddresses: false,
  });
});

const protocols: [port: string, protocol: PortProtocol][] = [
  ["name: http", "http"],
  ["name: http-web", "http"],
  ["name: httpx", "auto"],
  ["name: https", "tcp"],
  ["name: tls-a", "tcp"],
  ["name: tcp", "tcp"],
  ["name: mongo", "tcp"],
  ["name: mysql", "tcp"],
  ["name: redis", "tcp"],
  ["name: postgres", "auto"],
  ["name: web", "auto"],
  ["", "auto"],
  ["name: http2", "http2"],
  ["name: grpc-a", "http2"],
  ["name: grpc-web-a", "http2"],
  ["name: grpcx", "auto"],
  ["name: http2-a", "http2"],
  ["name: http, appProtocol: grpc", "http2"],
  ["name: grpc, appProtocol: http", "http"],
  ["appProtocol: GRPC", "http2"],
  ["appProtocol: kubernetes.io/other", "auto"],
  ["name: tcp, appProtocol: http", "http"],
  ["name: http, appProtocol: tcp", "tcp"],
  ["name: http, appProtocol: other", "auto"],
  ["appProtocol: HTTP", "http"],
  ["appProtocol: kubernetes.io/h2c", "http2"],
  ["appProtocol: kubernetes.io/ws", "http"],
  ["appProtocol: kubernetes.io/wss", "tcp"],
];
for (const [port, protocol] of protocols) {
  test(`protocol selection: {${port}} is carried as ${protocol}`, () => {
    const spec = `spec: {ports: [{port: 8080, ${port}}]}`;
    assert.equal(service(spec).ports[0]?.protocol, protocol);
    assert.deepEqual(parse(spec).notices, []);
  });
}

test("protocol selection: a server-first port without a declared protocol is TCP", () => {
  const spec = "spec: {ports: [{port: 3306, name: db}, {port: 25, name: http-mail}]}";
  assert.deepEqual(
    service(spec).ports.map(({ protocol }) => protocol),
    ["tcp", "http"],
  );
});

const invalid: [name: string, spec: string, issue: RegExp][] = [
  [
    "unknown field",
    "spec:\n  ports: [{port: 80}]\n  selectr: {}",
    /^6 spec\.selectr: is not a known field; did you mean selector\?$/,
  ],
  [
    "unknown field of a port",
    "spec: {ports: [{port: 80, targetport: 1}]}",
    /targetport: is not a known field; did you mean targetPort\?$/,
  ],
  ["no port number", "spec:\n  ports:\n  - name: http", /^6 spec\.ports\[0\]\.port: is missing/],
  [
    "port 0",
    "spec: {ports: [{port: 0}]}",
    /ports\[0\]\.port: is the number 0; expected a whole number from 1 to 65535$/,
  ],
  [
    "port as text",
    "spec: {ports: [{port: '80'}]}",
    /ports\[0\]\.port: is "80"; expected a whole number/,
  ],
  [
    "target port as a number in quotes",
    "spec: {ports: [{port: 80, targetPort: '8080'}]}",
    /targetPort: "8080" is not a port name/,
  ],
  [
    "UDP",
    "spec:\n  ports:\n  - port: 80\n    protocol: UDP",
    /^7 spec\.ports\[0\]\.protocol: not supported yet: UDP; only TCP is$/,
  ],
  ["UDP by name", "spec: {ports: [{port: 80, name: udp-dns}]}", /ports\[0\]\.name: says UDP/],
  ["no ports", "spec: {}", /^4 spec\.ports: must have at least one port$/],
  ["name needed", "spec: {ports: [{port: 80, name: a}, {port: 81}]}", /ports\[1\]: needs a name/],
  [
    "name twice",
    "spec: {ports: [{port: 80, name: a}, {port: 81, name: a}]}",
    /ports\[1\]\.name: "a" is given twice$/,
  ],
  [
    "port twice",
    "spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}",
    /ports\[1\]\.port: "80" is given twice$/,
  ],
  [
    "ExternalName",
    "spec: {type: ExternalName, externalName: a.example}",
    /spec\.type: not supported yet: ExternalName$/,
  ],
  [
    "headless in one field alone",
    "spec: {clusterIPs: [None], ports: [{port: 80}]}",
    /^4 spec\.clusterIPs: says None, but clusterIP does not$/,
  ],
  [
    "publishNotReadyAddresses",
    "spec: {publishNotReadyAddresses: 'true', ports: [{port: 80}]}",
    /publishNotReadyAddresses: is "true"; expected true or false$/,
  ],
  [
    "selector value",
    "spec: {selector: {app: true}, ports: [{port: 80}]}",
    /selector\.app: is the boolean true; expected text: write "true"$/,
  ],
];
for (const [name, spec, issue] of invalid) {
  test(`${name}: ${JSON.stringify(spec)} is refused`, () => {
    const found = issues(spec);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
  });
}

const PORTS = "ports: [{port: 80}]";
const addressing: [spec: string, headless: boolean, notices: readonly RegExp[]][] = [
  [PORTS, false, []],
  [`clusterIP: null, ${PORTS}`, false, []],
  [`clusterIP: None, ${PORTS}`, true, []],
  [`clusterIP: None, clusterIPs: [None], ${PORTS}`, true, []],
  [`clusterIP: 10.0.0.1, ${PORTS}`, false, [/without effect here yet: spec\.clusterIP$/]],
  [
    `clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1], ${PORTS}`,
    false,
    [/without effect here yet: spec\.clusterIP, spec\.clusterIPs$/],
  ],
  ["clusterIP: None", true, [/has none, so the name of the service is not answered here yet$/]],
];
for (const [spec, headless, notices] of addressing) {
  test(`{${spec}} is ${headless ? "" : "not "}headless`, () => {
    const found = parse(`spec: {${spec}}`).notices;
    assert.equal(service(`spec: {${spec}}`).headless, headless);
    assert.equal(found.length, notices.length, JSON.stringify(found));
    for (const [index, notice] of notices.entries()) {
      assert.match(found[index]?.message ?? "", notice);
    }
  });
}

test("addresses may be published before pods are ready", () => {
  const { publishNotReadyAddresses } = service(`spec: {publishNotReadyAddresses: true, ${PORTS}}`);
  assert.equal(publishNotReadyAddresses, true);
});

test("what has no effect is told once", () => {
  const spec = `spec: {type: ClusterIP, sessionAffinity: None, ipFamilies: [IPv4], ${PORTS}}`;
  assert.deepEqual(
    parse(spec).notices.map(({ message }) => message),
    ["accepted, without effect here yet: spec.ipFamilies, spec.sessionAffinity"],
  );
});

test("a service is called by a DNS label that begins with a letter", () => {
  const text = `${HEAD.replace("name: api", "name: 1api")}spec: {ports: [{port: 80}]}`;
  const [issue] = parseResources(text, "f").issues;
  assert.equal(issue?.path, "metadata.name");
  assert.match(issue?.problem ?? "", /beginning with a letter/);
});
