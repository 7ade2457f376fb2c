/** Webhooks that lead to a control plane elsewhere, by an address that may not work. */

import type { AnalyzedObject } from "../analyzed-object.ts";
import type { Field } from "../field.ts";
import { type Analyzer, type Finding, finding } from "../finding.ts";

export const externalControlPlanes: Analyzer = {
  name: "externalcontrolplane.ExternalControlPlaneAnalyzer",
  about: "webhooks of Istio that lead to a control plane elsewhere by no host name",
  *analyze(mesh) {
    for (const hooks of mesh.of("ValidatingWebhookConfiguration"))
      if (/^(istiod-default-validator$|istio-validator)/.test(hooks.name)) yield* addresses(hooks);
    for (const hooks of mesh.of("MutatingWebhookConfiguration"))
      if (hooks.name.startsWith("istio-sidecar-injector")) yield* addresses(hooks);
  },
};

function* addresses(hooks: AnalyzedObject): Iterable<Finding> {
  for (const hook of hooks.root.at("webhooks").items) {
    const name = hook.at("name").text;
    const client = hook.at("clientConfig");
    if (client.at("url").exists) yield* judged(hooks, client.at("url"), name);
    else if (!client.at("service").exists)
      yield finding(hooks, "IST0163", ["", name, "is blank"], client);
  }
}

function* judged(hooks: AnalyzedObject, url: Field, name: string): Iterable<Finding> {
  const host = hostOf(url.text);
  if (host === undefined) {
    const words = [url.text, name, "was provided in an invalid format"];
    yield finding(hooks, "IST0163", words, url);
  } else if (/^\[|^\d+(\.\d+){3}$/.test(host)) {
    yield finding(hooks, "IST0164", [url.text, name], url);
  }
}

/** As Go reads an address: text without a scheme is a path, and has no host. */
function hostOf(text: string): string | undefined {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return text.includes("%") ? undefined : "";
  return URL.canParse(text) ? new URL(text).hostname : undefined;
}
