import { type ArticleBlock, flip } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 23,
  proves:
    "in a strict mesh one database goes on taking a client from outside, and its neighbour does not",
  given: ["kubectl apply -f seeds/01-peer-authentication-mesh.yaml"],
  deeds: [{ run: "kubectl apply -f given/mysql-permissive.yaml" }],
  calls: [
    { from: "legacy/database", to: "http://database.production:5432/", gives: "closed" },
    {
      from: "legacy/database",
      to: "http://mysql.production:3306/",
      gives: "answered",
      body: /^mysql-/,
    },
  ],
  afterwards: ["kubectl delete --ignore-not-found -f given/mysql-permissive.yaml"],
  mutations: [
    { name: "the policy is deleted", run: "kubectl delete -f given/mysql-permissive.yaml" },
    {
      name: "the mode is STRICT",
      run: flip("peerauthentication", ["production", "mysql-permissive"], {
        spec: { mtls: { mode: "STRICT" } },
      }),
    },
  ],
};
