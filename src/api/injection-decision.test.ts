import assert from "node:assert/strict";
import { test } from "node:test";
import { type InjectionQuestion, injectionDecision } from "./injection-decision.ts";

const INJECT = "sidecar.istio.io/inject";
const enabled = { "istio-injection": "enabled" };
const disabled = { "istio-injection": "disabled" };
const plain: InjectionQuestion = {
  namespace: "shop",
  namespaceLabels: {},
  podLabels: {},
  podAnnotations: {},
  hostNetwork: false,
};

const cases: [rule: string, Partial<InjectionQuestion>, inject: boolean, because: RegExp][] = [
  ["no label at all", {}, false, /neither the namespace/],
  ["INJ-1", { namespaceLabels: { "istio.io/rev": "default" } }, true, /istio.io\/rev=default/],
  ["INJ-1", { namespaceLabels: { "istio.io/rev": "canary" } }, false, /revision default/],
  [
    "INJ-1 pod opts out",
    { namespaceLabels: { "istio.io/rev": "default" }, podLabels: { [INJECT]: "false" } },
    false,
    /the pod is labelled/,
  ],
  ["INJ-2", { podLabels: { "istio.io/rev": "default" } }, true, /the pod is labelled istio.io/],
  [
    "INJ-2 another revision",
    { podLabels: { "istio.io/rev": "canary", [INJECT]: "true" } },
    false,
    /canary/,
  ],
  ["INJ-3", { namespaceLabels: enabled }, true, /istio-injection=enabled/],
  [
    "INJ-3, INJ-8 pod opts out",
    { namespaceLabels: enabled, podLabels: { [INJECT]: "false" } },
    false,
    /inject=false/,
  ],
  ["INJ-4 pod opts in", { podLabels: { [INJECT]: "true" } }, true, /inject=true/],
  [
    "INJ-6 disabled namespace beats the pod's label",
    { namespaceLabels: disabled, podLabels: { [INJECT]: "true" } },
    false,
    /istio-injection=disabled/,
  ],
  [
    "INJ-6 disabled beats the revision",
    { namespaceLabels: { ...disabled, "istio.io/rev": "default" } },
    false,
    /disabled/,
  ],
  [
    "INJ-6 enabled beats the revision",
    { namespaceLabels: { ...enabled, "istio.io/rev": "canary" } },
    true,
    /enabled/,
  ],
  ["INJ-10", { namespaceLabels: enabled, hostNetwork: true }, false, /host's network/],
  ...["kube-system", "kube-public", "kube-node-lease", "local-path-storage"].map(
    (namespace): [string, Partial<InjectionQuestion>, boolean, RegExp] => [
      "INJ-11",
      { namespace, namespaceLabels: enabled, podLabels: { [INJECT]: "true" } },
      false,
      new RegExp(namespace),
    ],
  ),
  [
    "INJ-12 annotation opts out",
    { namespaceLabels: enabled, podAnnotations: { [INJECT]: "false" } },
    false,
    /annotated/,
  ],
  [
    "INJ-12 label beats annotation",
    {
      namespaceLabels: enabled,
      podLabels: { [INJECT]: "true" },
      podAnnotations: { [INJECT]: "false" },
    },
    true,
    /enabled/,
  ],
  [
    "INJ-12 other text says nothing",
    { namespaceLabels: enabled, podAnnotations: { [INJECT]: "no" } },
    true,
    /enabled/,
  ],
  [
    "INJ-4 an annotation does not opt in",
    { podAnnotations: { [INJECT]: "true" } },
    false,
    /neither/,
  ],
];
for (const [rule, question, inject, because] of cases) {
  test(`${rule}: ${JSON.stringify(question)} ${inject ? "injects" : "does not inject"}`, () => {
    const decision = injectionDecision({ ...plain, ...question });
    assert.equal(decision.inject, inject);
    assert.match(decision.because, because);
  });
}
