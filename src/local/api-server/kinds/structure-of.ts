/** How objects of each kind merge and are owned. */
import { schemaOfKind } from "../../../api/schema/schema-of-kind.ts";
import { podStructure, podTemplate } from "./pod-structure.ts";
import { schemaStructure } from "./schema-structure.ts";
import type { Structure } from "./structure.ts";
import { ATOMIC, CONDITIONS, FREE, keyed, metadata, object, typed } from "./structure-parts.ts";

/** @param kind as the readers of resources call it */
export function structureOf(kind: string): Structure {
  const schema = schemaOfKind(kind);
  if (schema !== undefined) return schemaStructure(schema);
  return STRUCTURES.get(kind) ?? typed({ metadata });
}

const replicated = (spec: Readonly<Record<string, Structure>> = {}): Structure =>
  object({
    spec: typed({ selector: ATOMIC, template: podTemplate, ...spec }),
    status: typed({ conditions: CONDITIONS }),
  });

const gatewayStatus: Structure = typed({
  conditions: CONDITIONS,
  listeners: keyed(["name"], typed({ conditions: CONDITIONS })),
});

const STRUCTURES: ReadonlyMap<string, Structure> = new Map([
  ["Namespace", object({ status: typed({ conditions: CONDITIONS }) })],
  [
    "ServiceAccount",
    object({
      imagePullSecrets: ATOMIC,
      secrets: keyed(["name"], ATOMIC, { defaults: {} }),
    }),
  ],
  [
    "Service",
    object({
      spec: typed({
        ports: keyed(["port", "protocol"], undefined, {
          defaults: { port: 0, protocol: "TCP" },
        }),
        selector: ATOMIC,
      }),
      status: typed({ conditions: CONDITIONS }),
    }),
  ],
  ["Pod", podStructure],
  ["ConfigMap", object({})],
  ["Secret", object({})],
  ["Event", object({ involvedObject: ATOMIC, related: ATOMIC })],
  ["LaterEvent", object({ regarding: ATOMIC, related: ATOMIC })],
  ["Deployment", replicated()],
  ["ReplicaSet", replicated()],
  ["StatefulSet", replicated()],
  [
    "Job",
    object({
      spec: typed({ selector: ATOMIC, template: podTemplate }),
      status: typed({
        conditions: { type: "atomic", patchKey: "type" },
        uncountedTerminatedPods: typed({
          failed: { type: "set", patch: "replace" },
          succeeded: { type: "set", patch: "replace" },
        }),
      }),
    }),
  ],
  ["NetworkPolicy", object({ spec: typed({ podSelector: ATOMIC }) })],
  ["EndpointSlice", object({})],
  ["Endpoints", object({})],
  ["Role", object({})],
  ["ClusterRole", object({})],
  ["RoleBinding", object({ roleRef: ATOMIC })],
  ["ClusterRoleBinding", object({ roleRef: ATOMIC })],
  ["GatewayClass", object({ status: typed({ conditions: CONDITIONS }) })],
  [
    "KubernetesGateway",
    object({ spec: typed({ listeners: keyed(["name"]) }), status: gatewayStatus }),
  ],
  ["HTTPRoute", object({})],
  ["ReferenceGrant", object({})],
  ["ImageCommands", object({ spec: FREE })],
  ["RateLimit", object({ spec: FREE })],
  ["RemoteCluster", object({ spec: FREE })],
]);
