/** Fields and kinds that Istio has given up. */
import { type Analyzer, finding } from "../finding.ts";

const REMOVED: ReadonlySet<string> = new Set([
  "ClusterRbacConfig",
  "RbacConfig",
  "ServiceRole",
  "ServiceRoleBinding",
]);

export const deprecatedFields: Analyzer = {
  name: "deprecation.FieldAnalyzer",
  about: "fields and kinds that are deprecated",
  once: true,
  *analyze(mesh) {
    for (const service of mesh.of("VirtualService"))
      for (const route of service.spec.at("http").items) {
        const percent = route.at("fault", "delay", "percent");
        const words =
          "HTTPRoute.fault.delay.percent is deprecated; use HTTPRoute.fault.delay.percentage";
        if ((percent.number ?? 0) > 0) yield finding(service, "IST0002", [words], percent);
      }
    for (const sidecar of mesh.of("Sidecar")) {
      const proxy = sidecar.spec.at("outboundTrafficPolicy", "egressProxy");
      const words = "OutboundTrafficPolicy.EgressProxy ignored";
      if (proxy.exists) yield finding(sidecar, "IST0002", [words], proxy);
    }
    for (const definition of mesh.of("CustomResourceDefinition")) {
      const [group, kind] = [definition.spec.at("group"), definition.spec.at("names", "kind")];
      if (group.text !== "rbac.istio.io" || !REMOVED.has(kind.text)) continue;
      const words = `Custom resource type ${group.text} ${kind.text} is removed`;
      yield finding(definition, "IST0002", [words], kind);
    }
  },
};
