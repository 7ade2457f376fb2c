/** Objects of five kinds, whole or in parts, as different managers might want them. */
import type {
  JsonObject,
  JsonValue,
  KubernetesObject,
} from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import type { Dice } from "../dice.ts";

export interface SequenceKind {
  readonly kind: string;
  readonly apiVersion: string;
  readonly plural: string;
  readonly origin: "built-in" | "custom";
  /** @param share of its fields that are written, 0 to 1 */
  readonly make: (dice: Dice, share: number) => JsonObject;
  readonly status?: (dice: Dice) => JsonObject;
  readonly scales?: true;
}

type Fields = Record<string, JsonValue>;

/** A field in some of the throws. */
function maybe(dice: Dice, share: number, fields: () => Fields): Fields {
  return dice.chance(share) ? fields() : {};
}

const NAMES = ["a", "b", "c"];

export const some = <Item>(dice: Dice, items: readonly Item[], least: number): Item[] =>
  dice.shuffled(items).slice(0, dice.between(least, items.length));

function words(dice: Dice): Record<string, string> {
  return Object.fromEntries(some(dice, NAMES, 1).map((key) => [key, dice.pick(["1", "2", "3"])]));
}

export function metadata(dice: Dice, share: number): Fields {
  return {
    ...maybe(dice, share, () => ({ labels: words(dice) })),
    ...maybe(dice, share * 0.6, () => ({ annotations: words(dice) })),
    ...maybe(dice, share * 0.2, () => ({ finalizers: some(dice, ["x/a", "x/b"], 1) })),
  };
}

function container(dice: Dice, name: string, share: number): JsonObject {
  return {
    name,
    image: dice.pick(["shop", "shop:1", "shop:latest", "registry.example/shop@sha256:00"]),
    ...maybe(dice, share, () => ({
      ports: some(dice, [80, 81, 82], 1).map((containerPort) => ({
        containerPort,
        ...(dice.chance(0.4) && { name: `p${containerPort}` }),
        ...(dice.chance(0.3) && { protocol: "TCP" }),
      })),
    })),
    ...maybe(dice, share, () => ({
      env: some(dice, ["A", "B", "C"], 1).map((variable) =>
        dice.chance(0.3)
          ? { name: variable, valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }
          : { name: variable, value: dice.pick(["1", "2"]) },
      ),
    })),
    ...maybe(dice, share * 0.5, () => ({ args: some(dice, NAMES, 1) })),
    ...maybe(dice, share * 0.5, () => ({
      resources: {
        ...(dice.chance(0.6) && { limits: { cpu: dice.pick(["1", "2"]), memory: "64Mi" } }),
        ...(dice.chance(0.4) && { requests: { cpu: "500m" } }),
      },
    })),
    ...maybe(dice, share * 0.4, () => ({
      readinessProbe: {
        httpGet: { port: dice.pick([80, 81]) },
        ...(dice.chance(0.5) && { periodSeconds: dice.pick([5, 10]) }),
      },
    })),
    ...maybe(dice, share * 0.3, () => ({ securityContext: { runAsNonRoot: dice.chance(0.5) } })),
  };
}

function deployment(dice: Dice, share: number): JsonObject {
  return {
    ...maybe(dice, share, () => ({ replicas: dice.between(0, 3) })),
    selector: { matchLabels: { app: "shop" } },
    ...maybe(dice, share * 0.4, () => ({ minReadySeconds: dice.pick([0, 5]) })),
    ...maybe(dice, share * 0.4, () => ({
      strategy: dice.chance(0.5)
        ? { type: "Recreate" }
        : { rollingUpdate: { maxSurge: dice.pick([1, "50%"]) } },
    })),
    template: {
      metadata: { labels: { app: "shop", ...(dice.chance(share * 0.5) && words(dice)) } },
      spec: {
        containers: some(dice, NAMES, 1).map((name) => container(dice, name, share)),
        ...maybe(dice, share * 0.4, () => ({ serviceAccountName: dice.pick(NAMES) })),
        ...maybe(dice, share * 0.4, () => ({
          volumes: some(dice, NAMES, 1).map((name) => ({
            name,
            ...(dice.chance(0.5) && { configMap: { name: "settings" } }),
          })),
        })),
        ...maybe(dice, share * 0.3, () => ({ nodeSelector: words(dice) })),
        ...maybe(dice, share * 0.3, () => ({
          tolerations: [{ key: dice.pick(NAMES), operator: "Exists" }],
        })),
        ...maybe(dice, share * 0.3, () => ({
          imagePullSecrets: some(dice, NAMES, 1).map((name) => ({ name })),
        })),
      },
    },
  };
}

function service(dice: Dice, share: number): JsonObject {
  return {
    ports: some(dice, [80, 443, 9000], 1).map((port) => ({
      name: `p${port}`,
      port,
      ...(dice.chance(0.4) && { targetPort: dice.pick([8080, "web"]) }),
      ...(dice.chance(0.2) && { appProtocol: "http" }),
      ...(dice.chance(0.2) && { protocol: "TCP" }),
    })),
    ...maybe(dice, share, () => ({ selector: words(dice) })),
    ...maybe(dice, share * 0.3, () => ({ sessionAffinity: dice.pick(["None", "ClientIP"]) })),
    ...maybe(dice, share * 0.3, () => ({ externalIPs: some(dice, ["192.0.2.1", "192.0.2.2"], 1) })),
    ...maybe(dice, share * 0.2, () => ({ publishNotReadyAddresses: dice.chance(0.5) })),
  };
}

function networkPolicy(dice: Dice, share: number): JsonObject {
  const peers = (): JsonObject[] =>
    dice.several(1, 2, () =>
      dice.chance(0.5)
        ? { podSelector: { matchLabels: words(dice) } }
        : { ipBlock: { cidr: dice.pick(["192.0.2.0/24", "198.51.100.0/24"]) } },
    );
  return {
    podSelector: dice.chance(0.5) ? {} : { matchLabels: words(dice) },
    ...maybe(dice, share, () => ({
      ingress: dice.several(1, 2, () => ({
        from: peers(),
        ...(dice.chance(0.5) && { ports: [{ port: dice.pick([80, "web"]) }] }),
      })),
    })),
    ...maybe(dice, share * 0.5, () => ({ egress: dice.several(1, 1, () => ({ to: peers() })) })),
    ...maybe(dice, share * 0.3, () => ({ policyTypes: ["Ingress", "Egress"] })),
  };
}

function serviceEntry(dice: Dice, share: number): JsonObject {
  return {
    hosts: some(dice, ["a.example", "b.example"], 1),
    ports: some(dice, [80, 443, 9000], 1).map((number) => ({
      name: `p${number}`,
      number,
      protocol: dice.pick(["HTTP", "TCP"]),
    })),
    ...maybe(dice, share, () => ({ location: dice.pick(["MESH_EXTERNAL", "MESH_INTERNAL"]) })),
    ...maybe(dice, share, () => ({
      resolution: "STATIC",
      endpoints: dice.several(1, 2, () => ({
        address: dice.pick(["192.0.2.1", "192.0.2.2"]),
        ...(dice.chance(0.5) && { labels: words(dice) }),
        ...(dice.chance(0.3) && { ports: { p80: dice.pick([8080, 8081]) } }),
      })),
    })),
    ...maybe(dice, share * 0.4, () => ({ exportTo: some(dice, [".", "*"], 1) })),
  };
}

function peerAuthentication(dice: Dice, share: number): JsonObject {
  const mode = (): JsonObject => ({ mode: dice.pick(["STRICT", "PERMISSIVE", "DISABLE"]) });
  return {
    selector: { matchLabels: words(dice) },
    ...maybe(dice, share, () => ({ mtls: mode() })),
    ...maybe(dice, share, () => ({
      portLevelMtls: Object.fromEntries(some(dice, ["80", "443"], 1).map((port) => [port, mode()])),
    })),
  };
}

const condition = (dice: Dice, type: string): JsonObject => ({
  type,
  status: dice.pick(["True", "False"]),
  reason: dice.pick(["One", "Other"]),
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
});

export const SEQUENCE_KINDS: readonly SequenceKind[] = [
  {
    kind: "Deployment",
    apiVersion: "apps/v1",
    plural: "deployments",
    origin: "built-in",
    scales: true,
    make: (dice, share) => ({ spec: deployment(dice, share) }),
    status: (dice) => ({
      replicas: dice.between(0, 3),
      ...(dice.chance(0.7) && {
        conditions: some(dice, ["Available", "Progressing"], 1).map((type) =>
          condition(dice, type),
        ),
      }),
    }),
  },
  {
    kind: "Service",
    apiVersion: "v1",
    plural: "services",
    origin: "built-in",
    make: (dice, share) => ({ spec: service(dice, share) }),
    status: (dice) => ({
      conditions: some(dice, ["One", "Other"], 1).map((type) => condition(dice, type)),
    }),
  },
  {
    kind: "ConfigMap",
    apiVersion: "v1",
    plural: "configmaps",
    origin: "built-in",
    make: (dice, share) => ({
      ...maybe(dice, Math.max(share, 0.7), () => ({ data: words(dice) })),
      ...maybe(dice, share * 0.2, () => ({ binaryData: { bits: "AAEC" } })),
    }),
  },
  {
    kind: "NetworkPolicy",
    apiVersion: "networking.k8s.io/v1",
    plural: "networkpolicies",
    origin: "built-in",
    make: (dice, share) => ({ spec: networkPolicy(dice, share) }),
  },
  {
    kind: "ServiceEntry",
    apiVersion: "networking.istio.io/v1",
    plural: "serviceentries",
    origin: "custom",
    make: (dice, share) => ({ spec: serviceEntry(dice, share) }),
    status: (dice) => ({ conditions: [condition(dice, "Reconciled")] }),
  },
  {
    kind: "PeerAuthentication",
    apiVersion: "security.istio.io/v1",
    plural: "peerauthentications",
    origin: "custom",
    make: (dice, share) => ({ spec: peerAuthentication(dice, share) }),
    status: (dice) => ({ observedGeneration: dice.between(1, 3) }),
  },
];

export function madeObject(
  { kind, apiVersion, make }: SequenceKind,
  { dice, name, share }: { readonly dice: Dice; readonly name: string; readonly share: number },
): KubernetesObject {
  return { apiVersion, kind, metadata: { name, ...metadata(dice, share) }, ...make(dice, share) };
}
