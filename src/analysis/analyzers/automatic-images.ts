/** `image: auto`, which only an injector can replace. */
import type { AnalyzedMesh } from "../analyzed-mesh.ts";
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";
import { selectorTakes } from "../label-selection.ts";

export const automaticImages: Analyzer = {
  name: "injection.ImageAutoAnalyzer",
  about: "`image: auto` where no injector replaces it",
  *analyze(mesh) {
    for (const pod of mesh.of("Pod"))
      if (isAutomatic(pod.spec)) yield finding(pod, "IST0147", ["Pod", pod.name]);
    const hooks = hooksOfIstio(mesh);
    for (const owner of mesh.of("Deployment")) {
      const template = owner.spec.at("template");
      // Without any webhook in sight, the mesh's own injector is meant.
      if (!isAutomatic(template.at("spec")) || hooks.length === 0) continue;
      const ofNamespace = mesh.find("Namespace", "", owner.namespace)?.labels ?? {};
      const ofPod = template.at("metadata", "labels").labels;
      const isInjected = hooks.some(
        (hook) =>
          selectorTakes(hook.at("namespaceSelector"), ofNamespace) &&
          selectorTakes(hook.at("objectSelector"), ofPod),
      );
      if (!isInjected) yield finding(owner, "IST0146", ["Deployment", owner.name]);
    }
  },
};

function hooksOfIstio(mesh: AnalyzedMesh): readonly Field[] {
  return mesh
    .of("MutatingWebhookConfiguration")
    .flatMap(({ root }) => root.at("webhooks").items)
    .filter((hook) => hook.at("name").text.endsWith("istio.io"));
}

function isAutomatic(spec: Field): boolean {
  return spec
    .at("containers")
    .items.some((one) => one.at("name").text === "istio-proxy" && one.at("image").text === "auto");
}
