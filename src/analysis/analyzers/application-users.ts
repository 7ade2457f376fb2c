/** User 1337 is the sidecar's own: what it sends is not captured. */
import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";
import { isControlPlane } from "../in-mesh.ts";

const OF_SIDECAR = 1337;

export const applicationUsers: Analyzer = {
  name: "deployment.ApplicationUIDAnalyzer",
  about: "applications that run as the sidecar's user",
  once: true,
  *analyze(mesh) {
    for (const pod of mesh.of("Pod")) yield* usersOf(pod, pod.spec);
    for (const owner of mesh.of("Deployment"))
      yield* usersOf(owner, owner.spec.at("template", "spec"));
  },
};

function* usersOf(object: AnalyzedObject, spec: Field): Iterable<Finding> {
  if (isControlPlane(object)) return;
  const containers = spec
    .at("containers")
    .items.filter((one) => !["istio-proxy", "istio-operator"].includes(one.at("name").text));
  for (const place of [spec, ...containers]) {
    const user = place.at("securityContext", "runAsUser");
    if (user.number === OF_SIDECAR) yield finding(object, "IST0144", [], user);
  }
}
