import assert from "node:assert/strict";
import { test } from "node:test";
import { schemaFaults } from "../../../../test/kit/schema-faults.ts";

const VERSIONS: { readonly [kind: string]: string } = {
  WasmPlugin: "extensions.istio.io/v1alpha1",
  EnvoyFilter: "networking.istio.io/v1alpha3",
  ProxyConfig: "networking.istio.io/v1beta1",
};

function faultsOf(kind: string, spec: string): readonly string[] {
  const apiVersion = VERSIONS[kind] ?? "networking.istio.io/v1";
  const indented = spec.trimEnd().replaceAll("\n", "\n  ");
  return schemaFaults(
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a, namespace: shop}\nspec:\n  ${indented}\n`,
  );
}

const rich: { readonly [kind: string]: string } = {
  DestinationRule: `host: api.shop.svc.cluster.local
exportTo: [".", "*"]
workloadSelector: {matchLabels: {app: web}}
trafficPolicy:
  tls: {mode: MUTUAL, clientCertificate: /a, privateKey: /b, caCertificates: /c, sni: a, subjectAltNames: [b], insecureSkipVerify: null}
  connectionPool:
    tcp: {maxConnections: 7, connectTimeout: 5s, idleTimeout: 1h, tcpKeepalive: {probes: 3, time: 10s, interval: 1s}}
    http: {http1MaxPendingRequests: 5, h2UpgradePolicy: UPGRADE, maxRequestsPerConnection: 2, idleTimeout: 30s}
  loadBalancer:
    consistentHash: {httpCookie: {name: user, ttl: 0s}, ringHash: {minimumRingSize: 1024}}
    localityLbSetting: {enabled: true, failover: [{from: a, to: b}], distribute: [{from: a/*, to: {"b/*": 100}}]}
    warmup: {duration: 30s, aggression: 1.5, minimumPercent: 10}
  outlierDetection: {consecutive5xxErrors: 7, interval: 5m, baseEjectionTime: 15m, maxEjectionPercent: 50}
  portLevelSettings:
  - port: {number: 80}
    loadBalancer: {simple: LEAST_REQUEST}
  tunnel: {protocol: CONNECT, targetHost: a.com, targetPort: 443}
subsets:
- name: v1
  labels: {version: v1}
  trafficPolicy: {proxyProtocol: {version: V2}}
`,
  Gateway: `selector: {istio: ingressgateway}
servers:
- name: web
  port: {number: 443, name: https, protocol: HTTPS}
  bind: 0.0.0.0
  hosts: ["shop/*.example.com"]
  tls:
    mode: MUTUAL
    credentialName: web
    minProtocolVersion: TLSV1_2
    cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]
    subjectAltNames: [spiffe://a/b]
- port: {number: 80, name: http, protocol: HTTP}
  hosts: ["*"]
  tls: {httpsRedirect: true}
`,
  ServiceEntry: `hosts: [api.example.com]
addresses: [10.0.0.0/24]
ports:
- {number: 443, name: https, protocol: TLS, targetPort: 8443}
- {number: 80, name: http}
location: MESH_EXTERNAL
resolution: STATIC
exportTo: ["."]
subjectAltNames: [spiffe://a/b]
endpoints:
- {address: 10.0.0.1, ports: {https: 8443}, labels: {a: b}, network: east, locality: r/z, weight: 5, serviceAccount: sa}
- address: unix:///run/api
`,
  Sidecar: `workloadSelector: {labels: {app: web}}
ingress:
- port: {number: 9080, protocol: HTTP, name: web}
  bind: 0.0.0.0
  captureMode: IPTABLES
  defaultEndpoint: 127.0.0.1:8080
  connectionPool: {tcp: {maxConnections: 5}}
egress:
- port: {number: 80}
  hosts: ["./*"]
- hosts: ["istio-system/*"]
outboundTrafficPolicy: {mode: REGISTRY_ONLY, egressProxy: {host: egress, port: {number: 80}}}
inboundConnectionPool: {http: {maxRetries: 3}}
`,
  VirtualService: `hosts: [api]
gateways: [mesh, shop/front]
exportTo: ["*"]
http:
- name: a
  match:
  - uri: {prefix: /a}
    method: {exact: GET}
    headers: {x-a: {regex: a.*}}
    queryParams: {q: {exact: v}}
    ignoreUriCase: true
    port: 80
  rewrite: {uri: /b, authority: c}
  timeout: 5s
  retries: {attempts: 3, perTryTimeout: 2s, retryOn: 5xx, retryRemoteLocalities: null}
  fault: {delay: {percentage: {value: 0.1}, fixedDelay: 5s}, abort: {httpStatus: 503}}
  mirrors: [{destination: {host: d}, percentage: {value: 50}}]
  corsPolicy: {allowOrigins: [{exact: "*"}], maxAge: 24h, allowCredentials: null}
  headers: {request: {set: {a: b}, remove: [c]}}
  route:
  - destination: {host: api, subset: v1, port: {number: 80}}
    weight: 90
  - destination: {host: api}
    weight: 10
- redirect: {uri: /x, redirectCode: 302, derivePort: FROM_REQUEST_PORT}
- directResponse: {status: 503, body: {bytes: aGk=}}
tls:
- match: [{port: 443, sniHosts: [a.com]}]
  route: [{destination: {host: a.com}}]
tcp:
- match: [{port: 27017, sourceLabels: {a: b}}]
  route: [{destination: {host: m}, weight: 100}]
`,
  WorkloadEntry: `address: 10.0.0.5
ports: {http: 8080}
labels: {app: api}
serviceAccount: api
weight: 3
network: ""
locality: region/zone
`,
  WorkloadGroup: `metadata: {labels: {app: api}, annotations: {a: b}}
template: {serviceAccount: api, ports: {http: 8080}, network: east}
probe:
  initialDelaySeconds: 5
  timeoutSeconds: 3
  periodSeconds: 4
  successThreshold: 3
  failureThreshold: 3
  httpGet: {path: /healthz, port: 8080, scheme: HTTPS, host: 127.0.0.1, httpHeaders: [{name: X-A, value: b}]}
`,
  ProxyConfig: `selector: {matchLabels: {app: api}}
concurrency: 2
environmentVariables: {A: b}
image: {imageType: distroless}
`,
  WasmPlugin: `selector: {matchLabels: {app: api}}
url: oci://registry.example.com/filter:1
sha256: ${"0123456789abcdef".repeat(4)}
imagePullPolicy: IfNotPresent
imagePullSecret: pull
phase: AUTHN
priority: 10
type: HTTP
failStrategy: FAIL_OPEN
pluginName: filter
pluginConfig: {anything: [1, {goes: null}]}
vmConfig: {env: [{name: A, value: b}, {name: C, valueFrom: HOST}]}
match: [{mode: SERVER, ports: [{number: 80}]}]
`,
  EnvoyFilter: `workloadSelector: {labels: {app: api}}
priority: -10
configPatches:
- applyTo: HTTP_FILTER
  match:
    context: SIDECAR_INBOUND
    proxy: {proxyVersion: ^1\\.2.*, metadata: {A: b}}
    listener: {portNumber: 8080, filterChain: {filter: {name: hcm, subFilter: {name: router}}}}
  patch: {operation: INSERT_BEFORE, filterClass: AUTHZ, value: {name: lua, typed_config: {"@type": a}}}
- applyTo: CLUSTER
  match: {context: WAYPOINT, waypoint: {portNumber: 80}}
  patch: {operation: REMOVE}
`,
};

for (const [kind, spec] of Object.entries(rich)) {
  test(`${kind}: most of its fields at once`, () => assert.deepEqual(faultsOf(kind, spec), []));
}

const faulty: [kind: string, spec: string, faults: string[]][] = [
  [
    "DestinationRule",
    "trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN, consistentHash: {useSourceIp: true}}}",
    [
      "spec.trafficPolicy.loadBalancer.consistentHash must not be given together with simple: only one of simple, consistentHash, backendUtilization",
      "spec.host is missing",
    ],
  ],
  [
    "DestinationRule",
    "host: a\ntrafficPolicy: {tunnel: {targetHost: a}, tls: {mode: TLS}}",
    [
      "spec.trafficPolicy.tunnel.targetPort is missing",
      'spec.trafficPolicy.tls.mode is "TLS"; expected one of DISABLE, SIMPLE, MUTUAL, ISTIO_MUTUAL',
    ],
  ],
  [
    "Gateway",
    "servers: [{port: {number: 80, name: a, protocol: HTTP}, tls: {credentialName: a, credentialNames: [b]}}]",
    [
      "spec.servers[0].tls.credentialNames must not be given together with credentialName",
      "spec.servers[0].hosts is missing",
    ],
  ],
  [
    "ServiceEntry",
    'hosts: ["*"]\nports: [{number: 80, name: a}, {number: 80, name: b}, {number: 0, name: a}]',
    [
      'spec.hosts[0] must not be "*": expected a host, or "*." and a domain',
      "spec.ports[2].number is 0; expected a port, from 1 to 65535",
      'spec.ports[2] has the same name as item 0: "a"',
    ],
  ],
  [
    "ServiceEntry",
    "hosts: [a.com]\nports: [{number: 80, name: a}, {number: 80, name: b}]\nendpoints: [{address: unix://a}]",
    [
      "spec.endpoints must not be given: resolution is NONE",
      "spec.ports must not have a port number twice",
      'spec.endpoints[0].address is "unix://a"; expected an absolute path, or "@" and a name, after unix://',
    ],
  ],
  ["Sidecar", "egress: [{bind: a}]", ["spec.egress[0].hosts is missing"]],
  [
    "VirtualService",
    "http: [{match: [{uri: {exact: /a, prefix: /b}}], timeout: 5}]",
    [
      "spec.http[0].match[0].uri.prefix must not be given together with exact: only one of exact, prefix, regex",
      'spec.http[0].timeout is the number 5; expected a duration such as "5s"',
    ],
  ],
  [
    "VirtualService",
    "tls: [{route: [{}]}]",
    ["spec.tls[0].route[0].destination is missing", "spec.tls[0].match is missing"],
  ],
  ["WorkloadEntry", "weight: 1", ["spec must have an address, or a network"]],
  [
    "WorkloadGroup",
    "probe: {httpGet: {path: /a}, exec: {command: [a]}}",
    [
      "spec.probe.httpGet.port is missing",
      "spec.probe.exec must not be given together with httpGet: only one of httpGet, tcpSocket, exec, grpc",
      "spec.template is missing",
    ],
  ],
  [
    "ProxyConfig",
    "concurrency: -1",
    ["spec.concurrency is the number -1; expected a whole number from 0 to 2147483647"],
  ],
  [
    "WasmPlugin",
    "url: fake://a\nphase: LAST\nmatch: [{ports: [{number: 1}, {number: 1}]}]",
    [
      'spec.url is "fake://a"; expected a URL of http, https, oci or file, or one without a scheme',
      'spec.phase is "LAST"; expected one of UNSPECIFIED_PHASE, AUTHN, AUTHZ, STATS',
      'spec.match[0].ports[1] has the same number as item 0: "1"',
    ],
  ],
  [
    "EnvoyFilter",
    "configPatches: [{applyTo: CLUSTER, match: {waypoint: {}}, patch: {value: a}}]",
    [
      "spec.configPatches[0].match must have waypoint exactly when context is WAYPOINT",
      'spec.configPatches[0].patch.value is "a"; expected a map',
    ],
  ],
];
for (const [kind, spec, faults] of faulty) {
  test(`${kind}: ${JSON.stringify(spec)} is refused`, () => {
    assert.deepEqual(faultsOf(kind, spec).toSorted(), faults.toSorted());
  });
}
