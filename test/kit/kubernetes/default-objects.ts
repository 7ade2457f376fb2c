/** Objects that leave out what a server fills in, or say what says nothing. */
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";

function object(
  apiVersion: string,
  kind: string,
  name: string,
  fields: JsonObject,
): KubernetesObject {
  return { apiVersion, kind, metadata: { name }, ...fields };
}

const selector: JsonObject = { matchLabels: { app: "shop" } };
const labelled: JsonObject = { labels: { app: "shop" } };
const container = (more: JsonObject = {}): JsonObject => ({ name: "app", image: "shop", ...more });
const template = (spec: JsonObject = {}): JsonObject => ({
  metadata: labelled,
  spec: { containers: [container()], ...spec },
});

const images = ["shop", "shop:latest", "shop:1", "registry.example:5000/shop", "shop@sha256:00"];
const quantities: JsonObject = {
  "example.com/a": "1000",
  "example.com/b": 3,
  cpu: "1000m",
  "ephemeral-storage": "1024Mi",
  memory: "0.5Gi",
};
const moreQuantities: JsonObject = {
  cpu: "0.1",
  memory: "1e3",
  "ephemeral-storage": "100M",
};

const probing: JsonObject = {
  livenessProbe: { httpGet: { port: "web" } },
  readinessProbe: { tcpSocket: { port: 80 }, initialDelaySeconds: 0, periodSeconds: 7 },
  startupProbe: { exec: { command: ["true"] }, timeoutSeconds: 0, failureThreshold: 9 },
  lifecycle: { preStop: { httpGet: { port: 80 } }, postStart: { exec: { command: ["true"] } } },
};

const variables: JsonValue = [
  { name: "A", value: "" },
  { name: "B", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
  { name: "C", valueFrom: { secretKeyRef: { name: "keys", key: "a", optional: false } } },
];

const volumes: JsonValue = [
  { name: "a" },
  { name: "b", configMap: { name: "settings" } },
  { name: "c", secret: { secretName: "keys", items: [{ key: "a", path: "a" }] } },
  { name: "d", hostPath: { path: "/srv" } },
  {
    name: "e",
    projected: {
      sources: [
        { serviceAccountToken: { path: "token" } },
        { downwardAPI: { items: [{ path: "n", fieldRef: { fieldPath: "metadata.name" } }] } },
      ],
    },
  },
  { name: "f", downwardAPI: { items: [{ path: "n", fieldRef: { fieldPath: "metadata.name" } }] } },
];

export const DEFAULT_OBJECTS: readonly KubernetesObject[] = [
  object("v1", "Namespace", "defaulted", {}),
  object("v1", "ServiceAccount", "till", { automountServiceAccountToken: false, secrets: [] }),
  object("v1", "ConfigMap", "empty", { data: {}, binaryData: {} }),
  object("v1", "ConfigMap", "settings", { data: { a: "", b: "1" }, immutable: false }),
  object("v1", "Secret", "keys", { stringData: { a: "Ä", b: "" }, data: { a: "MQ==", c: "Mg==" } }),
  object("v1", "Secret", "typed", { type: "example.com/own", immutable: true }),
  object("v1", "Service", "plain", { spec: { ports: [{ port: 80 }], selector: {} } }),
  object("v1", "Service", "named", {
    spec: {
      ports: [{ port: 80, targetPort: "web", name: "web" }],
      selector: { app: "shop" },
      sessionAffinity: "ClientIP",
      externalIPs: ["192.0.2.1"],
    },
  }),
  object("v1", "Service", "unbound", {
    spec: {
      ports: [{ port: 80, nodePort: 0, targetPort: 0 }],
      sessionAffinity: "None",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } },
      publishNotReadyAddresses: false,
    },
  }),
  object("v1", "Service", "node", {
    spec: { type: "NodePort", ports: [{ port: 80, nodePort: 30081 }] },
  }),
  object("v1", "Service", "balanced", {
    spec: { type: "LoadBalancer", ports: [{ port: 80, nodePort: 30082 }] },
  }),
  object("v1", "Service", "away", {
    spec: { type: "ExternalName", externalName: "away.example" },
  }),
  object("v1", "Service", "headless", { spec: { clusterIP: "None", ports: [{ port: 80 }] } }),
  object("v1", "Pod", "plain", { spec: { containers: [container()] } }),
  object("v1", "Pod", "images", {
    spec: { containers: images.map((image, index) => ({ name: `c${index}`, image })) },
  }),
  object("v1", "Pod", "full", {
    spec: {
      hostNetwork: true,
      serviceAccountName: "till",
      securityContext: { runAsUser: 0, runAsNonRoot: false },
      volumes,
      initContainers: [container({ name: "first", restartPolicy: "Always" })],
      containers: [
        container({
          ...probing,
          env: variables,
          envFrom: [],
          args: [],
          tty: false,
          ports: [{ containerPort: 80, name: "web" }],
          resources: { limits: quantities, requests: { cpu: "500m" } },
          volumeMounts: [{ name: "a", mountPath: "/a", readOnly: false }],
          workingDir: "",
        }),
        container({ name: "other", resources: { requests: moreQuantities, limits: {} } }),
      ],
    },
  }),
  object("apps/v1", "Deployment", "plain", { spec: { selector, template: template() } }),
  object("apps/v1", "Deployment", "anew", {
    spec: {
      selector,
      replicas: 0,
      minReadySeconds: 0,
      paused: false,
      strategy: { type: "Recreate" },
      template: template({ volumes, serviceAccount: "till" }),
    },
  }),
  object("apps/v1", "Deployment", "rolling", {
    spec: {
      selector,
      strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      template: template({ containers: [container({ resources: { limits: quantities } })] }),
    },
  }),
  object("apps/v1", "ReplicaSet", "plain", { spec: { selector, template: template() } }),
  object("apps/v1", "StatefulSet", "plain", { spec: { selector, template: template() } }),
  object("apps/v1", "StatefulSet", "kept", {
    spec: {
      selector,
      serviceName: "headless",
      updateStrategy: { type: "OnDelete" },
      template: template(),
      volumeClaimTemplates: [
        {
          metadata: { name: "disk" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Ki" } } },
        },
      ],
    },
  }),
  object("batch/v1", "Job", "plain", { spec: { template: template({ restartPolicy: "Never" }) } }),
  object("batch/v1", "Job", "parallel", {
    spec: { parallelism: 2, backoffLimit: 0, template: template({ restartPolicy: "OnFailure" }) },
  }),
  object("batch/v1", "Job", "judged", {
    spec: {
      template: template({ restartPolicy: "Never" }),
      podFailurePolicy: {
        rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget" }] }],
      },
    },
  }),
  object("networking.k8s.io/v1", "NetworkPolicy", "plain", { spec: {} }),
  object("networking.k8s.io/v1", "NetworkPolicy", "both", {
    spec: {
      podSelector: { matchLabels: {} },
      ingress: [{}, { ports: [{ port: 80 }, { port: "web", protocol: "UDP" }] }],
      egress: [{ to: [{ namespaceSelector: {} }] }],
    },
  }),
  object("discovery.k8s.io/v1", "EndpointSlice", "plain", {
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"] }],
    ports: [{ port: 80 }],
  }),
  object("discovery.k8s.io/v1", "EndpointSlice", "empty", { addressType: "IPv4", endpoints: [] }),
  object("rbac.authorization.k8s.io/v1", "Role", "empty", {}),
  object("rbac.authorization.k8s.io/v1", "Role", "reader", {
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"], resourceNames: [] }],
  }),
  object("rbac.authorization.k8s.io/v1", "RoleBinding", "readers", {
    roleRef: { kind: "Role", name: "reader", apiGroup: "rbac.authorization.k8s.io" },
    subjects: [
      { kind: "User", name: "ann" },
      { kind: "ServiceAccount", name: "till", namespace: "defaulted" },
    ],
  }),
  object("v1", "Event", "plain", {
    involvedObject: { kind: "Pod", name: "till", namespace: "defaulted" },
    reason: "Started",
    message: "",
  }),
  object("security.istio.io/v1", "PeerAuthentication", "plain", { spec: { mtls: {} } }),
];
