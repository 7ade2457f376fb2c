import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 1,
  block: 2,
  proves: "an identity, a method, a path and a header must all be as the rule says",
  deeds: [apply("18-v1beta1-api-access")],
  calls: [
    { from: "production/frontend", to: "http://api-gateway.production:8080/api/v1/a", gives: 403 },
    {
      from: "production/frontend",
      to: "http://api-gateway.production:8080/api/v1/a",
      headers: ["x-api-version: v1"],
      gives: 200,
    },
    {
      from: "production/frontend",
      to: "http://api-gateway.production:8080/api/v1/a",
      method: "POST",
      headers: ["x-api-version: v2"],
      gives: 200,
    },
    {
      from: "production/frontend",
      to: "http://api-gateway.production:8080/api/v1/a",
      headers: ["x-api-version: v3"],
      gives: 403,
    },
    {
      from: "production/frontend",
      to: "http://api-gateway.production:8080/api/v2/a",
      headers: ["x-api-version: v1"],
      gives: 403,
    },
    {
      from: "production/compromised-service",
      to: "http://api-gateway.production:8080/api/v1/a",
      headers: ["x-api-version: v1"],
      gives: 403,
    },
  ],
  afterwards: [remove("18-v1beta1-api-access")],
  mutations: [
    { name: "the policy is deleted", run: remove("18-v1beta1-api-access") },
    {
      name: "the principal is another",
      run: flip("authorizationpolicy", ["production", "api-access"], {
        spec: {
          rules: [
            { from: [{ source: { principals: ["cluster.local/ns/production/sa/nobody"] } }] },
          ],
        },
      }),
    },
    {
      name: "everybody is allowed",
      run: flip("authorizationpolicy", ["production", "api-access"], { spec: { rules: [{}] } }),
    },
  ],
};
