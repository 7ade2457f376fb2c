import { type ArticleBlock, apply, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 7,
  proves:
    "a policy without rules denies everything in its namespace, over HTTP with 403, over TCP by a closed connection",
  deeds: [apply("05-deny-all")],
  calls: [
    {
      from: "production/frontend",
      to: "http://api-service.production:8080/api/a",
      gives: 403,
      body: /RBAC: access denied/,
    },
    { from: "production/frontend", to: "http://mysql.production:3306/", gives: "closed" },
    { from: "production/frontend", to: "http://payments.payments:8080/", gives: 200 },
  ],
  afterwards: [remove("05-deny-all")],
  mutations: [{ name: "the policy is deleted", run: remove("05-deny-all") }],
};
