import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 1,
  block: 4,
  proves:
    "below all identities the network itself lets only frontend in, and the API only out to its database",
  deeds: [apply("20-network-policy")],
  calls: [
    { from: "production/compromised-service", to: "http://api.production:8080/", gives: 503 },
    { from: "production/frontend", to: "http://api.production:8080/", gives: 200 },
    { from: "production/api", to: "http://mysql.production:3306/", gives: "closed" },
    { from: "production/api", to: "http://database.production:5432/", gives: "answered" },
  ],
  afterwards: [remove("20-network-policy")],
  mutations: [
    { name: "the policy is deleted", run: remove("20-network-policy") },
    {
      name: "everybody may come in",
      run: flip("networkpolicy", ["production", "api-network-policy"], { spec: { ingress: [{}] } }),
    },
    {
      name: "nobody may come in",
      run: flip("networkpolicy", ["production", "api-network-policy"], { spec: { ingress: [] } }),
    },
  ],
};
