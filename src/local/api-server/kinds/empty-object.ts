/**
 * What an object of Kubernetes' own kinds is before anybody has said anything of it: types have fields that are always
 * there. What is there nobody adds. Source: Kubernetes' types, where `omitempty` does not leave a field out.
 */
import type { JsonObject } from "./kubernetes-object.ts";

const TEMPLATE: JsonObject = { metadata: {}, spec: { containers: null } };

const ROLE_REF: JsonObject = { apiGroup: "", kind: "", name: "" };

const EMPTY: Readonly<Record<string, JsonObject>> = {
  ClusterRole: { rules: null },
  ClusterRoleBinding: { roleRef: ROLE_REF },
  Deployment: { spec: { selector: null, strategy: {}, template: TEMPLATE }, status: {} },
  EndpointSlice: { addressType: "", endpoints: null, ports: null },
  Event: {
    eventTime: null,
    firstTimestamp: null,
    involvedObject: {},
    lastTimestamp: null,
    reportingComponent: "",
    reportingInstance: "",
    source: {},
  },
  Job: { spec: { template: TEMPLATE }, status: {} },
  Namespace: { spec: {}, status: {} },
  NetworkPolicy: { spec: { podSelector: {} } },
  Pod: { spec: { containers: null }, status: {} },
  ReplicaSet: { spec: { selector: null, template: TEMPLATE }, status: { replicas: 0 } },
  Role: { rules: null },
  RoleBinding: { roleRef: ROLE_REF },
  Service: { spec: {}, status: { loadBalancer: {} } },
  StatefulSet: {
    spec: { selector: null, serviceName: "", template: TEMPLATE, updateStrategy: {} },
    status: { availableReplicas: 0, replicas: 0 },
  },
};

/** All but what every object has. */
export function emptyFields(kind: string): JsonObject {
  return EMPTY[kind] ?? {};
}
