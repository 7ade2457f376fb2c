import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateway } from "../../test/kit/gateway-parts.ts";
import { snapshotOf, workloadNamed } from "../../test/kit/mesh-parts.ts";
import { parseSpiffeId } from "../identity/spiffe-id.ts";
import { type Judgement, judge } from "./judge.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { type Caller, QuestionError } from "./question.ts";

const MESH = `${openGateway}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: istio-ingress}
spec:
  selector: {istio: ingress}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: [plain.example.com]
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.example.com]
    tls: {mode: SIMPLE, credentialName: not-there}
  - port: {number: 443, name: through, protocol: TLS}
    hosts: [through.example.com]
    tls: {mode: PASSTHROUGH}
  - port: {number: 443, name: mesh, protocol: HTTPS}
    hosts: [mesh.example.com]
    tls: {mode: ISTIO_MUTUAL}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: api, namespace: shop}
spec:
  hosts: [plain.example.com, shop.example.com, mesh.example.com]
  gateways: [istio-ingress/front]
  http: [{route: [{destination: {host: api, port: {number: 8000}}}]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: edge, namespace: istio-ingress}
spec:
  selector: {matchLabels: {istio: ingress}}
  rules:
  - to: [{operation: {hosts: [plain.example.com], paths: [/open]}}]
  - from: [{source: {namespaces: [shop]}}]
  - to: [{operation: {ports: ["8443"]}}]
    when: [{key: connection.sni, values: [never]}]`;

interface Asked {
  readonly from?: string;
  readonly port?: number;
  readonly path?: string;
  readonly host?: string;
}

function callerNamed(snapshot: MeshSnapshot, name: string): Caller {
  if (name === "outside") return name;
  if (name.startsWith("spiffe:")) return { identity: parseSpiffeId(name) };
  return workloadNamed(snapshot, name);
}

function ask({ from = "outside", port = 8443, path = "/open", host }: Asked): Judgement {
  const snapshot = snapshotOf(MESH);
  const headers = new Map(host === undefined ? [] : [["host", host]]);
  return judge(snapshot, {
    from: callerNamed(snapshot, from),
    to: workloadNamed(snapshot, "istio-ingress/ingress-0"),
    containerPort: port,
    request: { method: "GET", path, headers },
  });
}

const API = "spiffe://cluster.local/ns/shop/sa/default";
const SHOP = "shop.example.com";
const MESH_HOST = "mesh.example.com";

/** Whoever is asked, it is of the server that the host names, whatever PeerAuthentication says (PA-21). */
const answers: readonly [asked: Asked, server: string, verdict: string, because: string][] = [
  [{ port: 8080, host: "plain.example.com" }, "NONE", "allow", "matched-allow"],
  [{ port: 8080, host: "PLAIN.example.com" }, "NONE", "allow", "matched-allow"],
  [{ port: 8080 }, "NONE", "allow", "matched-allow"],
  [{ port: 8080, path: "/shut" }, "NONE", "deny", "no-allow-matched"],
  [{ port: 8080, host: "other.example.com" }, "NONE", "deny", "no-allow-matched"],
  [{ host: SHOP }, "SIMPLE", "deny", "peer-not-verified"],
  [{}, "SIMPLE", "deny", "peer-not-verified"],
  [{ host: "through.example.com" }, "PASSTHROUGH", "deny", "no-allow-matched"],
  [{ host: MESH_HOST }, "ISTIO_MUTUAL", "deny", "plaintext-refused"],
  [{ host: MESH_HOST, from: "shop/api-0" }, "ISTIO_MUTUAL", "deny", "plaintext-refused"],
  [{ host: MESH_HOST, from: API }, "ISTIO_MUTUAL", "allow", "matched-allow"],
  [{ host: SHOP, from: API }, "SIMPLE", "deny", "callee-not-verified"],
  // TLS-26: a sidecar speaks no mutual TLS of its own accord to a gateway.
  [{ port: 8080, from: "shop/api-0" }, "NONE", "allow", "matched-allow"],
  [{ port: 8080, from: API }, "NONE", "deny", "callee-not-verified"],
];
for (const [asked, mode, verdict, because] of answers) {
  test(`a gateway asked ${JSON.stringify(asked)}: ${mode}, ${verdict}, ${because}`, () => {
    const { decision, server, mutualTls } = ask(asked);
    assert.deepEqual(
      [server?.mode, decision.verdict, decision.reason.because, mutualTls],
      [mode, verdict, because, undefined],
    );
  });
}

test("a server that refuses all handshakes says why", () => {
  const { decision, server } = ask({ host: SHOP });
  const problem = "Secret istio-ingress/not-there is not there";
  assert.deepEqual(decision.reason, { because: "peer-not-verified", problem });
  assert.deepEqual([server?.origin.ref.name, server?.problem], ["front", problem]);
});

test("a passed-on connection is judged as bytes", () => {
  assert.equal(ask({ host: "through.example.com" }).judgedAs, "tcp");
});

const questionsOfNobody: readonly [asked: Asked, message: RegExp][] = [
  [
    { port: 9999 },
    /^the gateway istio-ingress\/ingress-0 serves nothing at port 9999 of the pod; it serves: 80 \(8080 of the pod\), 443 \(8443 of the pod\)$/,
  ],
  [
    { host: "other.example.com" },
    /serves no host other\.example\.com at port 443: it closes the connection; it serves: shop\.example\.com, through\.example\.com, mesh\.example\.com$/,
  ],
];
for (const [asked, message] of questionsOfNobody) {
  test(`a gateway asked ${JSON.stringify(asked)} is no question`, () => {
    assert.throws(() => ask(asked), { name: QuestionError.name, message });
  });
}
