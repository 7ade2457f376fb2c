/** Pods with networks of their own, some with a real Envoy and some with our sidecar, as an ordinary user has them. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { IpAddresses } from "../../../src/policy/workload.ts";
import { findOrFetchEnvoy } from "../../kit/envoy-program.ts";
import { MeshInNamespaces, namespacesMissing } from "../../kit/mesh-in-namespaces.ts";
import { until } from "../../kit/until.ts";

const PROXIES = ["envoy", "embedded"] as const;
type Proxy = (typeof PROXIES)[number];
const FAMILIES = ["ipv4", "ipv6"] as const;

/** HTTP on 8080, and on 9000 bytes that are said again, without a word before. */
const SERVER = `
const { createServer } = require("node:http");
createServer((request, response) => response.end("api says " + request.url)).listen(8080, "::");
require("node:net").createServer((socket) => {
  socket.on("error", () => {});
  socket.pipe(socket);
}).listen(9000, "::");
`;

/** Says what came back: of HTTP the status and the body, of TCP all of it; or what failed. */
const CALLER = `
const [what, service, host, path] = process.argv.slice(-4);
if (what === "http") {
  require("node:http").get({ host, port: 8080, path, headers: { host: service }, agent: false }, (reply) => {
    let body = "";
    reply.on("data", (part) => { body += part; }).on("end", () => console.log(reply.statusCode + " " + body));
  }).on("error", ({ code }) => console.log(code));
} else {
  const socket = require("node:net").connect({ host, port: 9000 });
  let heard = "";
  socket.on("data", (part) => { heard += part; socket.end(); });
  socket.on("close", () => console.log(heard || "nothing")).on("error", () => {});
  socket.write(path);
}
`;

function pod(name: string, proxy: Proxy | "none", image: string): string {
  const inject =
    proxy === "none" ? 'sidecar.istio.io/inject: "false"' : `hauberk.dev/proxy: ${proxy}`;
  const label = proxy === "none" ? ', sidecar.istio.io/inject: "false"' : "";
  return `apiVersion: v1
kind: ServiceAccount
metadata: {name: ${name}, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata:
      labels: {app: ${name}${label}}
      annotations: {${inject}}
    spec:
      serviceAccountName: ${name}
      containers: [{name: main, image: ${image}, ports: [{containerPort: 8080}, {containerPort: 9000}]}]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: shop}
spec:
  selector: {app: ${name}}
  ports: [{name: http, port: 8080}, {name: tcp, port: 9000}]
---
`;
}

const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: hauberk.dev/v1
kind: ImageCommands
metadata: {name: servers}
spec:
  images: [{image: server, command: ["node", "server.cjs"]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody-administers, namespace: shop}
spec:
  action: DENY
  rules: [{to: [{operation: {ports: ["8080"], paths: ["/admin"]}}]}]
---
${PROXIES.map((proxy) => pod(`api-${proxy}`, proxy, "server") + pod(`web-${proxy}`, proxy, "serve")).join("")}
${pod("stranger", "none", "serve")}`;

const missing = namespacesMissing();

describe("Envoy beside pods with networks of their own", { skip: missing }, () => {
  let mesh: MeshInNamespaces;
  before(async () => {
    mesh = await MeshInNamespaces.start({
      folders: ["test/meshes/agents"],
      texts: { "mesh.yaml": MESH, "server.cjs": SERVER },
      parameters: ["--envoy", findOrFetchEnvoy().path],
    });
    for (const proxy of PROXIES)
      await until(`api-${proxy}`, async () =>
        (await call("web-embedded", "http", { service: `api-${proxy}` }, "/")).startsWith("200 "),
      );
  });
  after(() => mesh?.remove());

  /** @param to at an address of it, or at its name */
  async function call(
    from: string,
    what: "http" | "tcp",
    { service, address = service }: { readonly service: string; readonly address?: string },
    said: string,
  ): Promise<string> {
    const command = ["node", "-e", CALLER, "--", what, service, address, said];
    const { output, errors } = await mesh.agent(`shop/${from}-0`).run(...command);
    return output.trim() || errors;
  }

  /** Of a service: those that its name leads to. */
  async function serviceAddresses(from: string, name: string): Promise<IpAddresses> {
    const found = [...(await mesh.agent(`shop/${from}-0`).lookUp(name))];
    const [ipv4 = "", ipv6 = ""] = [".", ":"].map((mark) =>
      found.find((one) => one.includes(mark)),
    );
    return { ipv4, ipv6 };
  }

  for (const caller of PROXIES) {
    for (const callee of PROXIES) {
      for (const family of FAMILIES) {
        test(`${caller} -> ${callee} over ${family}: HTTP, a DENY policy, TCP`, async () => {
          const from = `web-${caller}`;
          const service = `api-${callee}`;
          const { [family]: address } = await serviceAddresses(from, service);
          const to = { service, address };
          assert.equal(await call(from, "http", to, "/hello"), "200 api says /hello");
          assert.equal(await call(from, "http", to, "/admin"), "403 RBAC: access denied");
          assert.equal(await call(from, "tcp", to, "bytes"), "bytes");
        });
      }
    }
  }

  test("whoever has no identity is refused by both, also at the pod's own address", async () => {
    for (const callee of PROXIES) {
      const { ipv4, ipv6 } = await mesh.addresses(`shop/api-${callee}-0`);
      const service = `api-${callee}`;
      for (const address of [service, ipv4, ipv6]) {
        const to = { service, address };
        assert.match(await call("stranger", "http", to, "/"), /^(?:ECONNRESET|ECONNREFUSED)$/);
        assert.equal(await call("stranger", "tcp", to, "bytes"), "nothing");
      }
    }
  });

  test("the administration of Envoy and of its agent are out of reach of the application", async () => {
    const script = `ls /proc/net/unix >/dev/null; cat /proc/net/unix | grep -c "envoy.sock" || true; curl -s -m 2 http://127.0.0.1:15000/ || echo closed`;
    const { output } = await mesh.agent("shop/web-envoy-0").runScript(script, 5_000);
    assert.match(output, /closed/);
    const { adminPort } =
      (await mesh.status()).pods.find(({ name }) => name === "web-envoy-0") ?? {};
    assert.equal(
      await mesh.agent("shop/web-envoy-0").call("127.0.0.1", adminPort ?? 0),
      "ECONNREFUSED",
    );
  });

  test("status tells which pod has Envoy; proxy-config shows Envoy's own listeners", async () => {
    const { pods } = await mesh.status();
    assert.deepEqual(
      pods
        .filter(({ dataPlane }) => dataPlane === "envoy")
        .map(({ name }) => name)
        .sort(),
      ["api-envoy-0", "web-envoy-0"],
    );
    const listeners = await mesh.ask("proxy-config", "listener", "web-envoy-0.shop");
    assert.match(listeners, /15001/);
    assert.match(listeners, /15006/);
  });
});
