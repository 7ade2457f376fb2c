/** A gateway's view, as resources make it, comes over the wire as it is; what is misspelt refuses it, and keys are shown to nobody. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAuthority, serverCertificate } from "../../test/kit/edge-stage.ts";
import { plannedMesh } from "../../test/kit/planned-mesh.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { buildWorkloadView } from "../policy/build-workload-view.ts";
import { concealedView } from "../policy/concealed-view.ts";
import { WORKLOAD_VIEW_FORMAT, type WorkloadView } from "../policy/workload-view.ts";
import { describeListeners } from "./admin-listeners.ts";
import { decodeWorkloadView, readWorkloadView } from "./decode-workload-view.ts";

const certificate = serverCertificate("shop.example.com");
const data = (text: string): string => Buffer.from(text).toString("base64");

const MESH = `
apiVersion: v1
kind: Service
metadata: {name: front, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  ports: [{name: https, port: 443, targetPort: 8443}, {name: tls, port: 8000, targetPort: 8000}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: front, namespace: edge}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  template:
    metadata:
      labels: {istio: ingressgateway, sidecar.istio.io/inject: "true"}
      annotations:
        inject.istio.io/templates: gateway
        proxy.istio.io/config: "gatewayTopology: {numTrustedProxies: 2, forwardClientCertDetails: APPEND_FORWARD}"
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Secret
metadata: {name: shop, namespace: edge}
data: {tls.crt: ${data(certificate.pem)}, tls.key: ${data(certificate.keyPem)}, ca.crt: ${data(clientAuthority.pem)}}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.example.com]
    tls: {mode: MUTUAL, credentialName: shop, subjectAltNames: [a.example.com], minProtocolVersion: TLSV1_3}
  - port: {number: 443, name: mesh, protocol: HTTPS}
    hosts: [mesh.example.com]
    tls: {mode: ISTIO_MUTUAL, subjectAltNames: [spiffe://cluster.local/ns/edge/sa/web]}
  - port: {number: 8000, name: tls, protocol: TLS}
    hosts: ["*.example.com"]
    tls: {mode: PASSTHROUGH}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: edge}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web, namespace: edge}
spec: {host: web, subsets: [{name: v1, labels: {version: v1}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: edge}
spec:
  hosts: [shop.example.com]
  gateways: [front]
  http:
  - name: all
    match:
    - uri: {regex: /a.*}
      method: {exact: GET}
      headers: {x-user: {prefix: a}, "@request.auth.claims.group": {exact: admin}}
      withoutHeaders: {x-no: {}}
      queryParams: {q: {exact: "1"}}
      ignoreUriCase: true
    rewrite: {uriRegexRewrite: {match: /a(.*), rewrite: /b\\1}, authority: web.example.com}
    timeout: 3s
    retries: {attempts: 3, perTryTimeout: 1s, retryOn: "5xx,503"}
    headers: {request: {set: {x-a: b}}, response: {remove: [x-c]}}
    fault: {abort: {percentage: {value: 1}, httpStatus: 500}, delay: {percentage: {value: 2}, fixedDelay: 1s}}
    corsPolicy: {allowOrigins: [{exact: https://example.com}], maxAge: 1h}
    mirror: {host: web}
    route: [{destination: {host: web, subset: v1}, weight: 30}, {destination: {host: web}, weight: 70}]
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new, redirectCode: 308}
  - directResponse: {status: 404, body: {string: none}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: passed, namespace: edge}
spec:
  hosts: [db.example.com]
  gateways: [front]
  tls:
  - match: [{sniHosts: [db.example.com], port: 8000}]
    route: [{destination: {host: web, port: {number: 80}}}]
`;

const { snapshot, workload } = plannedMesh(MESH);
const { rootPem } = createThrowawayAuthority();
const view: WorkloadView = buildWorkloadView(
  { ...snapshot, rootsPem: [rootPem] },
  workload("edge/front"),
);
const decoded = (value: unknown): WorkloadView =>
  decodeWorkloadView({ format: WORKLOAD_VIEW_FORMAT, json: JSON.stringify(value) });

test("it comes as it was sent", () => {
  const traffic = view.gateway?.listeners.map(({ servers }) => servers[0]?.traffic);
  assert.deepEqual(
    traffic?.map((one) => one?.is),
    ["stream", "http"],
  );
  const http = traffic?.[1];
  assert.equal(http?.is === "http" && http.virtualHosts[0]?.routes.length, 3);
  assert.deepEqual(
    view.outbound.subsets?.map(({ subset }) => subset),
    ["v1"],
  );
  assert.deepEqual(decoded(view), JSON.parse(JSON.stringify(view)));
  assert.deepEqual(readWorkloadView({ ...decoded(view) }), decoded(view), "and is read once more");
});

test("OBS-31, AP-51a: what stands in front of it, and how it tells of clients", () => {
  assert.deepEqual(view.gatewayTopology, { trustedProxies: 2 });
  assert.deepEqual(view.proxyHeaders, {
    forwardedClientCert: "APPEND_FORWARD",
    clientCertDetails: ["cert", "subject", "uri", "dns"],
    requestId: "generated",
  });
});

test("a field that nobody knows, anywhere in it, refuses the view", () => {
  const text = JSON.stringify(view);
  const places = [
    "routes",
    "match",
    "action",
    "destinations",
    "tls",
    "clientTrust",
    "callers",
    "servers",
  ];
  for (const place of places) {
    const forged = text.replace(new RegExp(`"${place}":(\\[?)\\{`), `"${place}":$1{"forged":1,`);
    assert.notEqual(forged, text, place);
    assert.throws(() => decoded(JSON.parse(forged)), /forged is not a known field/, place);
  }
});

test("its administration tells which hosts are served, and where their routes lead", () => {
  const [passing, http] = describeListeners(view, undefined);
  const web = "outbound|80||web.edge.svc.cluster.local";
  assert.deepEqual(http?.chains, [
    {
      match: { port: 443, host: "shop.example.com" },
      protocol: "http",
      cluster: `outbound|80|v1|web.edge.svc.cluster.local, ${web}`,
    },
  ]);
  assert.deepEqual(passing?.chains, [
    { match: { port: 8000, host: "*.example.com" }, protocol: "tcp", cluster: web },
  ]);
});

test("no dump shows a key", () => {
  const shown = JSON.stringify(concealedView(view));
  assert.ok(JSON.stringify(view).includes("PRIVATE KEY"));
  assert.ok(!shown.includes("PRIVATE KEY"));
  assert.ok(shown.includes("BEGIN CERTIFICATE"));
});
