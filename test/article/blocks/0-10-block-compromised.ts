import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 10,
  proves: "a denial by identity shuts one caller out of a TCP service at once, and no other",
  deeds: [apply("08-deny-compromised")],
  calls: [
    {
      from: "production/compromised-service",
      to: "http://database.production:5432/",
      gives: "closed",
    },
    {
      from: "production/frontend",
      to: "http://database.production:5432/",
      gives: "answered",
      body: /^database-/,
    },
  ],
  afterwards: [remove("08-deny-compromised")],
  mutations: [
    { name: "the policy is deleted", run: remove("08-deny-compromised") },
    {
      name: "the principal is another",
      run: flip("authorizationpolicy", ["production", "block-compromised"], {
        spec: {
          rules: [
            { from: [{ source: { principals: ["cluster.local/ns/production/sa/nobody"] } }] },
          ],
        },
      }),
    },
    {
      name: "everybody is denied",
      run: flip("authorizationpolicy", ["production", "block-compromised"], {
        spec: { rules: [{}] },
      }),
    },
  ],
};
