import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 1,
  block: 1,
  proves: "STRICT is the same in the older version of the API",
  given: ["kubectl apply -f given/permissive-mesh.yaml"],
  deeds: [apply("17-v1beta1-strict")],
  calls: [
    { from: "legacy/database", to: "http://api-service.production:8080/api/a", gives: "closed" },
    { from: "production/frontend", to: "http://api-service.production:8080/api/a", gives: 200 },
  ],
  afterwards: [remove("17-v1beta1-strict")],
  mutations: [
    { name: "the policy is deleted", run: remove("17-v1beta1-strict") },
    {
      name: "the mode is PERMISSIVE",
      run: flip("peerauthentication", ["istio-system", "default"], {
        spec: { mtls: { mode: "PERMISSIVE" } },
      }),
    },
  ],
};
