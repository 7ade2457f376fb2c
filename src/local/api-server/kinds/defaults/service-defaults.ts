/** What Kubernetes fills into Services. Source: pkg/apis/core/v1/defaults.go. */
import { listAt } from "../json-access.ts";
import type { JsonObject } from "../kubernetes-object.ts";
import { always, each, withFields } from "./default-fields.ts";

const AFFINITY_SECONDS = 10_800;

export function serviceSpec(given: JsonObject): JsonObject {
  const { selector, ...rest } = given;
  const isSelecting = selector !== undefined && Object.keys(selector ?? {}).length > 0;
  let spec = withFields(isSelecting ? { ...rest, selector } : rest, {
    sessionAffinity: "None",
    type: "ClusterIP",
  });
  if (spec["sessionAffinity"] === "None") {
    const { sessionAffinityConfig: _, ...unbound } = spec;
    spec = unbound;
  } else {
    spec = always(spec, "sessionAffinityConfig", (config) =>
      always(config, "clientIP", (client) =>
        withFields(client, { timeoutSeconds: AFFINITY_SECONDS }),
      ),
    );
  }
  spec = each(spec, "ports", (port) =>
    withFields(port, { protocol: "TCP", targetPort: port["port"] }),
  );
  const { type } = spec;
  if (type !== "ExternalName") spec = withFields(spec, { internalTrafficPolicy: "Cluster" });
  const published = type === "NodePort" || type === "LoadBalancer";
  if (published || (type === "ClusterIP" && listAt(spec, "externalIPs").length > 0)) {
    spec = withFields(spec, { externalTrafficPolicy: "Cluster" });
  }
  return type === "LoadBalancer" ? withFields(spec, { allocateLoadBalancerNodePorts: true }) : spec;
}
