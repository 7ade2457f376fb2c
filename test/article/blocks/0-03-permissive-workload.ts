import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 3,
  proves:
    "one workload of a STRICT namespace goes on taking plaintext, since its own policy counts",
  given: ["kubectl apply -f given/strict-data.yaml"],
  deeds: [apply("03-peer-authentication-workload")],
  calls: [
    { from: "legacy/database", to: "http://mysql.data:3306/", gives: "answered", body: /^mysql-/ },
    { from: "production/frontend", to: "http://mysql.data:3306/", gives: "answered" },
  ],
  afterwards: [
    remove("03-peer-authentication-workload"),
    "kubectl delete -f given/strict-data.yaml",
  ],
  mutations: [
    { name: "the policy is deleted", run: remove("03-peer-authentication-workload") },
    {
      name: "the mode is STRICT",
      run: flip("peerauthentication", ["data", "mysql-permissive"], {
        spec: { mtls: { mode: "STRICT" } },
      }),
    },
  ],
};
