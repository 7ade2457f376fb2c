import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 1,
  proves:
    "STRICT in the root namespace closes plaintext everywhere, and callers with a sidecar notice nothing",
  deeds: [apply("01-peer-authentication-mesh")],
  calls: [
    { from: "legacy/database", to: "http://api-service.production:8080/api/a", gives: "closed" },
    { from: "legacy/database", to: "http://payments.payments:8080/", gives: "closed" },
    { from: "production/frontend", to: "http://api-service.production:8080/api/a", gives: 200 },
  ],
  afterwards: [remove("01-peer-authentication-mesh")],
  mutations: [
    { name: "the policy is deleted", run: remove("01-peer-authentication-mesh") },
    {
      name: "the mode is PERMISSIVE",
      run: flip("peerauthentication", ["istio-system", "default"], {
        spec: { mtls: { mode: "PERMISSIVE" } },
      }),
    },
  ],
};
