/** Objects, and what is said of their state, whose rows show what the columns of their kinds can tell. */
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";

export interface TableObject {
  readonly object: KubernetesObject;
  readonly status?: JsonObject;
}

function one(
  [apiVersion, kind, name]: readonly [string, string, string],
  fields: JsonObject,
  status?: JsonObject,
): TableObject {
  const object = { apiVersion, kind, metadata: { name }, ...fields };
  return status === undefined ? { object } : { object, status };
}

const LONG_AGO = "2020-01-01T00:00:00Z";
const selector: JsonObject = {
  matchLabels: { app: "shop" },
  matchExpressions: [
    { key: "tier", operator: "In", values: ["b", "a"] },
    { key: "old", operator: "DoesNotExist" },
    { key: "away", operator: "NotIn", values: ["x"] },
    { key: "any", operator: "Exists" },
  ],
};
const plain: JsonObject = { matchLabels: { app: "shop" } };
const containers: JsonValue = [
  { name: "app", image: "shop:1" },
  { name: "other", image: "other:2" },
];
const template: JsonObject = {
  metadata: { labels: { app: "shop", tier: "a", any: "1" } },
  spec: { containers },
};
const jobTemplate: JsonObject = { spec: { containers, restartPolicy: "Never" } };

const pod = (name: string, status: JsonObject, spec: JsonObject = {}): TableObject =>
  one(["v1", "Pod", name], { spec: { containers, ...spec } }, status);

const running = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  image: "shop",
  imageID: "",
  ready: true,
  restartCount: 0,
  state: { running: { startedAt: LONG_AGO } },
  ...more,
});
const ended = (exitCode: number, more: JsonObject = {}): JsonObject => ({
  terminated: { exitCode, startedAt: LONG_AGO, finishedAt: LONG_AGO, ...more },
});
const condition = (type: string, more: JsonObject = {}): JsonObject => ({
  type,
  status: "True",
  ...more,
});

const PODS: readonly TableObject[] = [
  pod("new", { phase: "Pending" }),
  pod("up", {
    phase: "Running",
    podIP: "192.0.2.9",
    podIPs: [{ ip: "192.0.2.9" }],
    conditions: [condition("Ready")],
    containerStatuses: [running("app"), running("other", { restartCount: 2, lastState: ended(1) })],
  }),
  pod("half", {
    phase: "Running",
    containerStatuses: [
      running("app"),
      running("other", { ready: false, state: { waiting: { reason: "CrashLoopBackOff" } } }),
    ],
  }),
  pod("gone", {
    phase: "Failed",
    containerStatuses: [
      running("app", { ready: false, state: ended(137, { signal: 9 }) }),
      running("other", { ready: false, state: ended(0, { reason: "Completed" }) }),
    ],
  }),
  pod("done", {
    phase: "Succeeded",
    containerStatuses: [running("app", { ready: false, state: ended(0, { reason: "Completed" }) })],
  }),
  pod("evicted", { phase: "Failed", reason: "Evicted" }),
  pod(
    "beginning",
    { phase: "Pending", initContainerStatuses: [running("first", { ready: false })] },
    { initContainers: [{ name: "first", image: "first" }] },
  ),
  pod(
    "stuck",
    {
      phase: "Pending",
      initContainerStatuses: [running("first", { ready: false, restartCount: 3, state: ended(2) })],
    },
    { initContainers: [{ name: "first", image: "first" }] },
  ),
  pod(
    "accompanied",
    {
      phase: "Running",
      initContainerStatuses: [running("proxy", { started: true, restartCount: 1 })],
      containerStatuses: [running("app"), running("other")],
    },
    {
      initContainers: [{ name: "proxy", image: "proxy", restartPolicy: "Always" }],
      readinessGates: [{ conditionType: "example.com/open" }],
    },
  ),
];

export const TABLE_OBJECTS: readonly TableObject[] = [
  ...PODS,
  one(["v1", "ServiceAccount", "till"], {}),
  one(["v1", "ConfigMap", "settings"], { data: { a: "1" }, binaryData: { b: "AA==" } }),
  one(["v1", "Secret", "keys"], { data: { a: "MQ==" } }),
  one(["v1", "Service", "plain"], {
    spec: {
      ports: [
        { name: "a", port: 80 },
        { name: "b", port: 81 },
      ],
      selector: { b: "2", a: "1" },
    },
  }),
  one(["v1", "Service", "headless"], { spec: { clusterIP: "None" } }),
  one(["v1", "Service", "node"], {
    spec: { type: "NodePort", ports: [{ port: 80, nodePort: 30083 }], externalIPs: ["192.0.2.1"] },
  }),
  one(["v1", "Service", "away"], { spec: { type: "ExternalName", externalName: "away.example" } }),
  one(["v1", "Service", "waiting"], {
    spec: { type: "LoadBalancer", ports: [{ port: 80, nodePort: 30084 }] },
  }),
  one(
    ["v1", "Service", "balanced"],
    { spec: { type: "LoadBalancer", ports: [{ port: 80, nodePort: 30085 }] } },
    { loadBalancer: { ingress: [{ ip: "192.0.2.8" }, { hostname: "b.example" }] } },
  ),
  one(["v1", "Event", "old"], {
    involvedObject: {
      kind: "Pod",
      name: "up",
      namespace: "tables",
      fieldPath: "spec.containers{app}",
    },
    reason: "Started",
    message: " Started it ",
    type: "Normal",
    source: { component: "starter", host: "here" },
    firstTimestamp: LONG_AGO,
    lastTimestamp: LONG_AGO,
    count: 3,
  }),
  one(
    ["apps/v1", "Deployment", "shop"],
    { spec: { replicas: 3, selector, template } },
    { replicas: 3, readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
  ),
  one(
    ["apps/v1", "ReplicaSet", "shop"],
    { spec: { replicas: 3, selector, template } },
    { replicas: 2, readyReplicas: 1 },
  ),
  one(
    ["apps/v1", "StatefulSet", "shop"],
    { spec: { replicas: 3, selector: plain, template } },
    { replicas: 3, readyReplicas: 1 },
  ),
  one(
    ["batch/v1", "Job", "running"],
    { spec: { template: jobTemplate } },
    {
      startTime: LONG_AGO,
      active: 1,
    },
  ),
  one(["batch/v1", "Job", "many"], { spec: { parallelism: 3, template: jobTemplate } }),
  one(
    ["batch/v1", "Job", "done"],
    { spec: { template: jobTemplate } },
    {
      startTime: LONG_AGO,
      completionTime: "2020-01-01T00:12:30Z",
      succeeded: 1,
      conditions: [condition("SuccessCriteriaMet"), condition("Complete")],
    },
  ),
  one(["networking.k8s.io/v1", "NetworkPolicy", "all"], { spec: { podSelector: {} } }),
  one(["networking.k8s.io/v1", "NetworkPolicy", "some"], { spec: { podSelector: selector } }),
  one(["discovery.k8s.io/v1", "EndpointSlice", "none"], { addressType: "IPv4", endpoints: [] }),
  one(["discovery.k8s.io/v1", "EndpointSlice", "many"], {
    addressType: "IPv4",
    endpoints: ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map((address) => ({
      addresses: [address],
    })),
    ports: [{ port: 80, name: "a" }, { name: "b" }],
  }),
  one(["rbac.authorization.k8s.io/v1", "Role", "reader"], { rules: [] }),
  one(["rbac.authorization.k8s.io/v1", "RoleBinding", "readers"], {
    roleRef: { kind: "Role", name: "reader", apiGroup: "rbac.authorization.k8s.io" },
    subjects: [
      { kind: "User", name: "ann" },
      { kind: "User", name: "bob" },
      { kind: "Group", name: "all" },
      { kind: "ServiceAccount", name: "till", namespace: "tables" },
    ],
  }),
  one(["security.istio.io/v1", "PeerAuthentication", "strict"], {
    spec: { mtls: { mode: "STRICT" } },
  }),
  one(["security.istio.io/v1", "PeerAuthentication", "unsaid"], { spec: {} }),
  one(["security.istio.io/v1", "AuthorizationPolicy", "deny"], { spec: { action: "DENY" } }),
  one(["security.istio.io/v1", "RequestAuthentication", "tokens"], { spec: {} }),
  one(["networking.istio.io/v1", "ServiceEntry", "away"], {
    spec: { hosts: ["a.example", "b.example"], location: "MESH_EXTERNAL", resolution: "DNS" },
  }),
  one(["networking.istio.io/v1", "DestinationRule", "shop"], { spec: { host: "shop" } }),
  one(["networking.istio.io/v1", "VirtualService", "shop"], {
    spec: { hosts: ["shop"], http: [{ route: [{ destination: { host: "shop" } }] }] },
  }),
  one(["networking.istio.io/v1", "WorkloadEntry", "one"], { spec: { address: "192.0.2.1" } }),
  one(["networking.istio.io/v1", "Sidecar", "one"], { spec: {} }),
];
