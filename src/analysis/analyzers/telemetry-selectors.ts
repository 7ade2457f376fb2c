/** Telemetries of which a pod gets several, or none. */
import { type AnalyzedPod, selectorText, selects } from "../analyzed-mesh.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import { type Analyzer, finding } from "../finding.ts";

export const telemetrySelectors: Analyzer = {
  name: "telemetry.SelectorAnalyzer",
  about: "Telemetries that select no pod, or the same pod as others",
  *analyze(mesh) {
    const selective = mesh.of("Telemetry").filter((one) => labelsOf(one).size > 0);
    for (const telemetry of selective) {
      const labels = labelsOf(telemetry);
      if (!mesh.pods.some((pod) => takes(telemetry, pod)))
        yield finding(telemetry, "IST0101", ["selector", selectorText(labels.labels)], labels);
    }
    for (const pod of mesh.pods) {
      const all = selective.filter((one) => takes(one, pod));
      if (all.length < 2) continue;
      const values = [all.map(({ name }) => name).sort(), pod.namespace, pod.name];
      for (const telemetry of all)
        yield finding(telemetry, "IST0159", values, telemetry.root.at("metadata", "name"));
    }
  },
};

export const telemetryDefaults: Analyzer = {
  name: "telemetry.DefaultSelectorAnalyzer",
  about: "several Telemetries without selector in one namespace",
  *analyze(mesh) {
    const all = mesh.of("Telemetry").filter(({ spec }) => !spec.at("selector").exists);
    for (const telemetry of all) {
      const { namespace } = telemetry;
      const here = all.filter((one) => one.namespace === namespace).map(({ name }) => name);
      if (here.length > 1) yield finding(telemetry, "IST0160", [here.sort(), namespace]);
    }
  },
};

function labelsOf({ spec }: AnalyzedObject): ReturnType<typeof spec.at> {
  return spec.at("selector", "matchLabels");
}

function takes(telemetry: AnalyzedObject, pod: AnalyzedPod): boolean {
  return pod.namespace === telemetry.namespace && selects(labelsOf(telemetry).labels, pod.labels);
}
