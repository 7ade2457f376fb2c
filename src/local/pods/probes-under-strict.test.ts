/** Probes of a pod whose sidecar lets nobody in, and the way they take, which is nobody else's. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { type TestContext, test } from "node:test";
import { ProbedPod } from "../../../test/kit/probed-pod.ts";

const PROBES = `
      - name: main
        image: i
        ports: [{name: http, containerPort: 8080}]
        startupProbe: {httpGet: {path: "start?for=you", port: http}, failureThreshold: 1}
        readinessProbe: {httpGet: {path: /moved, port: http}, failureThreshold: 1}
        livenessProbe: {tcpSocket: {port: 8080}}
      - name: second
        image: i
        ports: [{name: grpc, containerPort: 9000}]
        readinessProbe: {grpc: {port: 9000, service: shop.Prices}, failureThreshold: 1}
      - name: third
        image: i
        ports: [{name: tcp, containerPort: 9001}]
        readinessProbe: {tcpSocket: {port: 9001}, failureThreshold: 1}`;

/** Nobody may call anything. */
const DENY_ALL = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: deny-all, namespace: shop}
spec: {}
`;
const ALLOW_PROBES = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: allow-probes, namespace: shop}
spec:
  rules:
  - to: [{operation: {methods: [GET], paths: [/start, /moved, /ready], ports: ["8080"]}}]
`;

function podOf(written: {
  readonly mode: "STRICT" | "PERMISSIVE";
  readonly rewriting?: "true" | "false";
  readonly policy?: string;
}): string {
  const { mode, rewriting = "true", policy = DENY_ALL } = written;
  return `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: ${mode}}}
---${policy}---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
      annotations: {sidecar.istio.io/rewriteAppHTTPProbers: "${rewriting}"}
    spec:
      containers:${PROBES}
`;
}

/** Only what is exactly asked for is well. */
const PATHS: Readonly<Record<string, [status: number, location?: string]>> = {
  "/start?for=you": [200],
  "/moved": [302, "/ready"],
  "/ready": [200],
};

async function start(context: TestContext, yaml: string): Promise<ProbedPod> {
  const pod = await ProbedPod.start(yaml);
  context.after(() => pod.close());
  const http = createServer((request, response) => {
    const [status, location] = PATHS[request.url ?? ""] ?? [404];
    response.writeHead(status, location === undefined ? {} : { location }).end();
  });
  await pod.serve(8080, http);
  const grpc = createHttp2Server();
  grpc.on("stream", (stream) => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
  });
  await pod.serve(9000, grpc);
  await pod.serve(
    9001,
    createTcpServer((socket) => void socket.on("error", () => undefined).end()),
  );
  return pod;
}

const CONTAINERS = ["main", "second", "third"];
const readinessOf = (pod: ProbedPod) =>
  Promise.all(CONTAINERS.map(async (name) => (await pod.readiness(name)).ready));

for (const mode of ["STRICT", "PERMISSIVE"] as const) {
  test(`INJ-27 under ${mode}, and policies that let nobody in, all probes are well`, async (context) => {
    const pod = await start(context, podOf({ mode }));
    assert.deepEqual(await readinessOf(pod), [true, true, true]);
  });
}

test("INJ-27 what a probe asks for, others may not ask for, nor by the names that Istio's agent gives it", async (context) => {
  const paths = ["/ready", "/start?for=you", "/app-health/main/readyz", "/app-health/main/livez"];
  const strict = await start(context, podOf({ mode: "STRICT" }));
  for (const path of paths)
    assert.match(String(await strict.ask(8080, path)), /ECONNRESET|hang up/);
  const permissive = await start(context, podOf({ mode: "PERMISSIVE" }));
  for (const path of paths) assert.equal(await permissive.ask(8080, path), 403);
});

test("INJ-27 not rewritten, under STRICT only what the sidecar itself accepts is well", async (context) => {
  const pod = await start(context, podOf({ mode: "STRICT", rewriting: "false" }));
  assert.deepEqual(await readinessOf(pod), [false, false, true]);
});

test("INJ-27 not rewritten, elsewhere policies decide", async (context) => {
  const denied = await start(context, podOf({ mode: "PERMISSIVE", rewriting: "false" }));
  assert.deepEqual(await denied.readiness("main"), {
    ready: false,
    problem: "startup probe: status 403",
  });
  const allowing = { mode: "PERMISSIVE", rewriting: "false", policy: ALLOW_PROBES } as const;
  const allowed = await start(context, podOf(allowing));
  assert.deepEqual(await allowed.readiness("main"), { ready: true });
});
