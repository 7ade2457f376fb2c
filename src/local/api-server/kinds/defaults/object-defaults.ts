/** What a server makes of an object of Kubernetes' own kinds before it looks at it: without what says nothing, with defaults. */
import { emptyFields } from "../empty-object.ts";
import { isJsonObject, listAt, objectAt, textAt } from "../json-access.ts";
import type { JsonObject, KubernetesObject } from "../kubernetes-object.ts";
import { always, each, withFields } from "./default-fields.ts";
import { plainMetadata, plainObject } from "./plain-values.ts";
import { podWithDefaults } from "./pod-defaults.ts";
import { serviceSpec } from "./service-defaults.ts";
import {
  deploymentSpec,
  jobWithDefaults,
  replicaSetSpec,
  statefulSetSpec,
} from "./workload-defaults.ts";

type Defaults = (object: KubernetesObject) => KubernetesObject;

/** Of one of Kubernetes' own kinds. */
export function defaultsOf(kind: string): Defaults {
  const own = DEFAULTS[kind] ?? ((object: KubernetesObject) => object);
  return (object) => own(plainObject(object));
}

/** Of kinds that resources define only the metadata is read into a type. */
export function definedDefaults(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: plainMetadata(object.metadata) };
}

const DEFAULTS: Readonly<Record<string, Defaults>> = {
  Deployment: inSpec(deploymentSpec, {}),
  EndpointSlice: endpointSliceWithDefaults,
  Event: (event) => changed(event, (fields) => withFields(fields, emptyFields("Event"))),
  Job: (job) => withStatus(jobWithDefaults(job), {}),
  Namespace: namespaceWithDefaults,
  NetworkPolicy: inSpec(networkPolicySpec),
  Pod: inSpec(podWithDefaults),
  ReplicaSet: inSpec(replicaSetSpec, { replicas: 0 }),
  Role: withRules,
  ClusterRole: withRules,
  RoleBinding: bindingWithDefaults,
  ClusterRoleBinding: bindingWithDefaults,
  Secret: secretWithDefaults,
  Service: inSpec(serviceSpec, { loadBalancer: {} }),
  StatefulSet: inSpec(statefulSetSpec, { availableReplicas: 0, replicas: 0 }),
};

/** @param status what a status of this kind always says */
function inSpec(fill: (spec: JsonObject) => JsonObject, status?: JsonObject): Defaults {
  return (object) => {
    const filled = changed(object, (fields) => always(fields, "spec", fill));
    return status === undefined ? filled : withStatus(filled, status);
  };
}

function withStatus(object: KubernetesObject, status: JsonObject): KubernetesObject {
  return changed(object, (fields) => always(fields, "status", (one) => withFields(one, status)));
}

/** All but what every object has. */
function changed(
  { apiVersion, kind, metadata, ...fields }: KubernetesObject,
  change: (fields: JsonObject) => JsonObject,
): KubernetesObject {
  return { ...change(fields), apiVersion, kind, metadata };
}

const NAME_LABEL = "kubernetes.io/metadata.name";

function namespaceWithDefaults(namespace: KubernetesObject): KubernetesObject {
  const { name, labels } = namespace.metadata;
  if (name === undefined) return namespace;
  const metadata = { ...namespace.metadata, labels: { ...labels, [NAME_LABEL]: name } };
  return { ...namespace, metadata };
}

function networkPolicySpec(given: JsonObject): JsonObject {
  const isAboutEgress = listAt(given, "egress").length > 0;
  const spec = withFields(given, {
    podSelector: {},
    policyTypes: isAboutEgress ? ["Ingress", "Egress"] : ["Ingress"],
  });
  const port = (one: JsonObject): JsonObject => withFields(one, { protocol: "TCP" });
  const rule = (one: JsonObject): JsonObject => each(one, "ports", port);
  return each(each(spec, "ingress", rule), "egress", rule);
}

function endpointSliceWithDefaults(slice: KubernetesObject): KubernetesObject {
  return changed(slice, (given) => {
    const isEmpty = listAt(given, "endpoints").length === 0;
    const fields = withFields(isEmpty ? { ...given, endpoints: null } : given, { ports: null });
    const told = each(fields, "endpoints", (endpoint) => withFields(endpoint, { conditions: {} }));
    return each(told, "ports", (port) => withFields(port, { name: "", protocol: "TCP" }));
  });
}

function withRules(role: KubernetesObject): KubernetesObject {
  return changed(role, (fields) => withFields(fields, { rules: null }));
}

const RBAC_GROUP = "rbac.authorization.k8s.io";

function bindingWithDefaults(binding: KubernetesObject): KubernetesObject {
  return changed(binding, (fields) =>
    each(
      always(fields, "roleRef", (role) => withFields(role, { apiGroup: RBAC_GROUP })),
      "subjects",
      (subject) =>
        textAt(subject, "kind") === "ServiceAccount"
          ? subject
          : withFields(subject, { apiGroup: RBAC_GROUP }),
    ),
  );
}

/** Text is written for people; it is kept as octets. */
function secretWithDefaults(secret: KubernetesObject): KubernetesObject {
  return changed(secret, ({ stringData, ...fields }) => {
    const typed = withFields(fields, { type: "Opaque" });
    if (!isJsonObject(stringData)) return typed;
    const encoded = Object.entries(stringData).map(
      ([key, value]) => [key, Buffer.from(String(value)).toString("base64")] as const,
    );
    return { ...typed, data: { ...objectAt(fields, "data"), ...Object.fromEntries(encoded) } };
  });
}
