import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 2,
  proves: "STRICT in one namespace closes plaintext there and nowhere else",
  deeds: [apply("02-peer-authentication-namespace")],
  calls: [
    { from: "legacy/database", to: "http://payments.payments:8080/", gives: "closed" },
    { from: "legacy/database", to: "http://api-service.production:8080/api/a", gives: 200 },
    { from: "production/frontend", to: "http://payments.payments:8080/", gives: 200 },
  ],
  afterwards: [remove("02-peer-authentication-namespace")],
  mutations: [
    { name: "the policy is deleted", run: remove("02-peer-authentication-namespace") },
    {
      name: "the mode is PERMISSIVE",
      run: flip("peerauthentication", ["payments", "default"], {
        spec: { mtls: { mode: "PERMISSIVE" } },
      }),
    },
  ],
};
