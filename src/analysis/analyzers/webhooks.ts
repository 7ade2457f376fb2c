/** Webhooks that inject sidecars: two that take one pod, and such as lead nowhere. */
import type { Labels } from "../../api/resource.ts";
import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, finding } from "../finding.ts";
import { selectorTakes } from "../label-selection.ts";

const REVISION = "istio.io/rev";

interface Hook {
  readonly configuration: AnalyzedObject;
  readonly hook: Field;
  readonly title: string;
}

export const webhooks: Analyzer = {
  name: "webhook.Analyzer",
  about: "injection webhooks that overlap, or lead to no Service",
  *analyze(mesh) {
    const configurations = mesh.of("MutatingWebhookConfiguration").filter(isOfIstio);
    const hooks = configurations.flatMap(hooksOf);
    const revisions = [...new Set(configurations.flatMap(revisionsOf))];
    const ofNamespaces = variants("istio-injection", ["enabled", "disabled"], revisions);
    const ofObjects = variants("sidecar.istio.io/inject", ["true", "false"], revisions);
    const told = new Set<string>();
    for (const namespace of ofNamespaces)
      for (const object of ofObjects) {
        const matching = hooks.filter(
          ({ hook }) =>
            selectorTakes(hook.at("namespaceSelector"), namespace) &&
            selectorTakes(hook.at("objectSelector"), object),
        );
        for (const one of matching) {
          const others = matching.filter((other) => other !== one).map(({ title }) => title);
          if (others.length === 0) continue;
          const names = `[${others.sort().join(" ")}]`;
          const words = `Webhook overlaps with others: ${names}. This may cause injection to occur twice.`;
          // The same words for another pair of labels tell nothing new.
          if (!told.has(one.title + words))
            yield finding(one.configuration, "IST0139", [words], one.hook);
          told.add(one.title + words);
        }
      }
    for (const { configuration, hook } of hooks) {
      const service = hook.at("clientConfig", "service");
      const [namespace, name] = [service.at("namespace").text, service.at("name").text];
      if (!service.exists || mesh.find("Service", namespace, name) !== undefined) continue;
      const words = `Injector refers to a control plane service that does not exist: ${namespace}/${name}.`;
      yield finding(configuration, "IST0139", [words], service);
    }
  },
};

function variants(
  label: string,
  values: readonly string[],
  revisions: readonly string[],
): readonly Labels[] {
  const plain: readonly Labels[] = [{}, ...values.map((value) => ({ [label]: value }))];
  const revised = revisions.flatMap((revision) =>
    plain.map((labels) => ({ ...labels, [REVISION]: revision })),
  );
  return [...plain, ...revised];
}

function hooksOf(configuration: AnalyzedObject): readonly Hook[] {
  return configuration.root.at("webhooks").items.map((hook) => ({
    configuration,
    hook,
    title: `${configuration.name}/${hook.at("name").text}`,
  }));
}

function isOfIstio(configuration: AnalyzedObject): boolean {
  const names = configuration.root.at("webhooks").items.map((hook) => hook.at("name").text);
  return names.some((name) => name.endsWith("istio.io")) || revisionsOf(configuration).length > 0;
}

function revisionsOf({ labels, root }: AnalyzedObject): readonly string[] {
  const selectors = root
    .at("webhooks")
    .items.flatMap((hook) => [hook.at("namespaceSelector"), hook.at("objectSelector")]);
  const matched = selectors.map((one) => one.at("matchLabels", REVISION).text);
  const listed = selectors
    .flatMap((one) => one.at("matchExpressions").items)
    .filter((expression) => expression.at("key").text === REVISION)
    .flatMap((expression) => expression.at("values").texts);
  return [labels[REVISION] ?? "", ...matched, ...listed].filter((text) => text !== "");
}
