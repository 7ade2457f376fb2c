/** How Pods, and the templates they are made from, merge. Source: Kubernetes' OpenAPI of core/v1. */
import type { Structure } from "./structure.ts";
import { ATOMIC, CONDITIONS, keyed, metadata, object, typed } from "./structure-parts.ts";

const resources: Structure = typed({
  claims: keyed(["name"], undefined, { patchKey: null }),
});

const env: Structure = keyed(
  ["name"],
  typed({
    valueFrom: typed({
      configMapKeyRef: ATOMIC,
      fieldRef: ATOMIC,
      fileKeyRef: ATOMIC,
      resourceFieldRef: ATOMIC,
      secretKeyRef: ATOMIC,
    }),
  }),
);

const containers: Structure = keyed(
  ["name"],
  typed({
    env,
    ports: keyed(["containerPort", "protocol"], undefined, {
      defaults: { containerPort: 0, protocol: "TCP" },
    }),
    resources,
    volumeDevices: keyed(["devicePath"]),
    volumeMounts: keyed(["mountPath"]),
  }),
);

/** Those that name other objects, which are named as one. */
const secretOwner: Structure = typed({ secretRef: ATOMIC });

const volumeClaim: Structure = typed({
  metadata,
  spec: typed({ dataSource: ATOMIC, selector: ATOMIC }),
});

const volumes: Structure = keyed(
  ["name"],
  typed({
    cephfs: secretOwner,
    cinder: secretOwner,
    csi: typed({ nodePublishSecretRef: ATOMIC }),
    ephemeral: typed({ volumeClaimTemplate: volumeClaim }),
    flexVolume: secretOwner,
    iscsi: secretOwner,
    rbd: secretOwner,
    scaleIO: secretOwner,
    storageos: secretOwner,
  }),
);

export const podSpec: Structure = typed({
  containers,
  ephemeralContainers: containers,
  hostAliases: keyed(["ip"]),
  imagePullSecrets: keyed(["name"], ATOMIC),
  initContainers: containers,
  nodeSelector: ATOMIC,
  affinity: typed({
    nodeAffinity: typed({ requiredDuringSchedulingIgnoredDuringExecution: ATOMIC }),
  }),
  resourceClaims: keyed(["name"]),
  resources,
  schedulingGates: keyed(["name"]),
  topologySpreadConstraints: keyed(
    ["topologyKey", "whenUnsatisfiable"],
    typed({ labelSelector: ATOMIC }),
  ),
  volumes,
});

export const podTemplate: Structure = typed({ metadata, spec: podSpec });

export const podStructure: Structure = object({
  spec: podSpec,
  status: typed({
    conditions: CONDITIONS,
    hostIPs: { type: "atomic", patchKey: "ip" },
    podIPs: keyed(["ip"]),
    resourceClaimStatuses: keyed(["name"]),
    resources,
  }),
});
