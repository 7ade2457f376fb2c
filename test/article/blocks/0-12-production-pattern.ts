import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 12,
  proves:
    "five policies make a chain: ingress to frontend, frontend to api, api to database, metrics for monitoring, and no step can be left out",
  deeds: [apply("10-production-pattern")],
  calls: [
    { from: "production/compromised-service", to: "http://api.production:8080/", gives: 403 },
    { from: "istio-ingress/ingress", to: "http://frontend.production:8080/", gives: 200 },
    { from: "istio-ingress/ingress", to: "http://api.production:8080/", gives: 403 },
    { from: "production/frontend", to: "http://api.production:8080/", gives: 200 },
    { from: "production/frontend", to: "http://database.production:5432/", gives: "closed" },
    { from: "production/api", to: "http://database.production:5432/", gives: "answered" },
    { from: "monitoring/prometheus", to: "http://frontend.production:8080/metrics", gives: 200 },
    { from: "monitoring/prometheus", to: "http://frontend.production:8080/", gives: 403 },
    { from: "production/frontend", to: "http://mysql.production:3306/", gives: "closed" },
  ],
  afterwards: [remove("10-production-pattern")],
  mutations: [
    { name: "all are deleted", run: remove("10-production-pattern") },
    ...[
      "allow-ingress-to-frontend",
      "allow-frontend-to-api",
      "allow-api-to-db",
      "allow-monitoring",
    ].map((name) => ({
      name: `${name} is deleted`,
      run: `kubectl delete authorizationpolicy ${name} -n production`,
    })),
    {
      name: "the database's port is another",
      run: flip("authorizationpolicy", ["production", "allow-api-to-db"], {
        spec: { rules: [{ to: [{ operation: { ports: ["5433"] } }] }] },
      }),
    },
    {
      name: "the API is open to everybody",
      run: flip("authorizationpolicy", ["production", "allow-frontend-to-api"], {
        spec: { rules: [{}] },
      }),
    },
  ],
};
