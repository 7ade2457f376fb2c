import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 24,
  proves: "callers speak plainly to a service without a sidecar, by a rule that proxy-config names",
  deeds: [apply("16-destination-rule-disable")],
  calls: [
    {
      from: "production/frontend",
      to: "http://database.legacy:5432/",
      gives: "answered",
      body: /^database-/,
    },
  ],
  questions: [
    {
      ask: "istioctl proxy-config clusters deploy/frontend -n production | grep legacy",
      answer: /external-database/,
    },
  ],
  afterwards: [remove("16-destination-rule-disable")],
  mutations: [
    { name: "the rule is deleted", run: remove("16-destination-rule-disable") },
    {
      name: "the mode is ISTIO_MUTUAL",
      run: flip("destinationrule", ["production", "external-database"], {
        spec: { trafficPolicy: { tls: { mode: "ISTIO_MUTUAL" } } },
      }),
    },
  ],
};
