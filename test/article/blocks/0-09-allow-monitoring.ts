import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 9,
  proves:
    "whoever lives in the monitoring namespace may read the three pages, and others may not, be they in the same mesh",
  given: ["kubectl apply -f seeds/05-deny-all.yaml"],
  deeds: [apply("07-allow-monitoring-by-namespace")],
  calls: [
    { from: "monitoring/prometheus", to: "http://api-service.production:8080/metrics", gives: 200 },
    { from: "monitoring/prometheus", to: "http://api-service.production:8080/healthz", gives: 200 },
    {
      from: "monitoring/prometheus",
      to: "http://api-service.production:8080/metrics",
      method: "POST",
      gives: 403,
    },
    { from: "monitoring/prometheus", to: "http://api-service.production:8080/api/a", gives: 403 },
    { from: "production/frontend", to: "http://api-service.production:8080/metrics", gives: 403 },
  ],
  afterwards: [remove("07-allow-monitoring-by-namespace"), remove("05-deny-all")],
  mutations: [
    { name: "the policy is deleted", run: remove("07-allow-monitoring-by-namespace") },
    {
      name: "the namespace is another",
      run: flip("authorizationpolicy", ["production", "allow-monitoring"], {
        spec: { rules: [{ from: [{ source: { namespaces: ["elsewhere"] } }] }] },
      }),
    },
    {
      name: "everybody is allowed",
      run: flip("authorizationpolicy", ["production", "allow-monitoring"], {
        spec: { rules: [{}] },
      }),
    },
  ],
};
