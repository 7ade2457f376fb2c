import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 11,
  proves:
    "rules of one policy are alternatives: frontend may all methods, users need a token and a header, health is for all, and a caller without identity is not batch-processor",
  deeds: [apply("09-complex-rules")],
  calls: [
    {
      from: "production/compromised-service",
      to: "http://api-service.production:8080/api/v2/batch/a",
      method: "POST",
      gives: 403,
    },
    {
      from: "production/frontend",
      to: "http://api-service.production:8080/anything",
      method: "PUT",
      gives: 200,
    },
    {
      from: "production/frontend",
      to: "http://api-service.production:8080/anything",
      method: "PATCH",
      gives: 403,
    },
    {
      from: "batch/batch-processor",
      to: "http://api-service.production:8080/api/v2/batch/a",
      method: "POST",
      gives: 403,
    },
    {
      from: "production/compromised-service",
      to: "http://api-service.production:8080/api/a",
      headers: ["x-api-version: v2"],
      gives: 403,
    },
    { from: "legacy/database", to: "http://api-service.production:8080/healthz", gives: 200 },
    {
      from: "legacy/database",
      to: "http://api-service.production:8080/healthz",
      method: "POST",
      gives: 403,
    },
  ],
  afterwards: [remove("09-complex-rules")],
  mutations: [
    { name: "the policy is deleted", run: remove("09-complex-rules") },
    {
      name: "frontend is not named",
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
