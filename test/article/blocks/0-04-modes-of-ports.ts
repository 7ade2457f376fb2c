import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 4,
  proves:
    "modes of single ports count over that of the workload: 8080 demands mutual TLS, 9090 takes plaintext",
  deeds: [apply("04-peer-authentication-port-level")],
  calls: [
    { from: "legacy/database", to: "http://api-service.production:8080/api/a", gives: "closed" },
    { from: "legacy/database", to: "http://api-service.production:9090/metrics", gives: 200 },
    { from: "production/frontend", to: "http://api-service.production:8080/api/a", gives: 200 },
    { from: "monitoring/prometheus", to: "http://api-service.production:9090/metrics", gives: 200 },
  ],
  afterwards: [remove("04-peer-authentication-port-level")],
  mutations: [
    { name: "the policy is deleted", run: remove("04-peer-authentication-port-level") },
    {
      name: "8080 is PERMISSIVE",
      run: flip("peerauthentication", ["production", "api-service"], {
        spec: { portLevelMtls: { "8080": { mode: "PERMISSIVE" } } },
      }),
    },
    {
      name: "9090 is STRICT",
      run: flip("peerauthentication", ["production", "api-service"], {
        spec: { portLevelMtls: { "9090": { mode: "STRICT" } } },
      }),
    },
  ],
};
