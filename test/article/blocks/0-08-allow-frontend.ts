import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 8,
  proves:
    "beside a denial of all, frontend may GET and POST below /api, nothing else, and nobody else may that",
  given: ["kubectl apply -f seeds/05-deny-all.yaml"],
  deeds: [apply("06-allow-frontend-to-api")],
  calls: [
    { from: "production/frontend", to: "http://api-service.production:8080/api/a", gives: 200 },
    {
      from: "production/frontend",
      to: "http://api-service.production:8080/api/a",
      method: "POST",
      gives: 200,
    },
    {
      from: "production/frontend",
      to: "http://api-service.production:8080/api/a",
      method: "DELETE",
      gives: 403,
    },
    { from: "production/frontend", to: "http://api-service.production:8080/admin", gives: 403 },
    {
      from: "production/compromised-service",
      to: "http://api-service.production:8080/api/a",
      gives: 403,
    },
  ],
  afterwards: [remove("06-allow-frontend-to-api"), remove("05-deny-all")],
  mutations: [
    { name: "the policy is deleted", run: remove("06-allow-frontend-to-api") },
    {
      name: "the principal is another",
      run: flip("authorizationpolicy", ["production", "allow-frontend-to-api"], {
        spec: {
          rules: [
            { from: [{ source: { principals: ["cluster.local/ns/production/sa/nobody"] } }] },
          ],
        },
      }),
    },
    {
      name: "everybody is allowed",
      run: flip("authorizationpolicy", ["production", "allow-frontend-to-api"], {
        spec: { rules: [{}] },
      }),
    },
    {
      name: "it denies",
      run: flip("authorizationpolicy", ["production", "allow-frontend-to-api"], {
        spec: { action: "DENY" },
      }),
    },
  ],
};
