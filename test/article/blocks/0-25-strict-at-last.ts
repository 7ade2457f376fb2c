import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 0,
  block: 25,
  proves: "in the end the whole mesh is strict, and what has a sidecar calls as before",
  given: ["kubectl apply -f given/permissive-mesh.yaml"],
  deeds: [apply("01-peer-authentication-mesh")],
  calls: [
    { from: "legacy/database", to: "http://api-service.production:8080/api/a", gives: "closed" },
    { from: "legacy/database", to: "http://api-service.staging:8080/", gives: "closed" },
    { from: "production/frontend", to: "http://api-service.production:8080/api/a", gives: 200 },
    { from: "batch/batch-processor", to: "http://api-service.staging:8080/", gives: 200 },
  ],
  mutations: [
    { name: "the policy is deleted", run: remove("01-peer-authentication-mesh") },
    {
      name: "the mode is PERMISSIVE",
      run: flip("peerauthentication", ["istio-system", "default"], {
        spec: { mtls: { mode: "PERMISSIVE" } },
      }),
    },
    {
      name: "a namespace is PERMISSIVE",
      run: "sed -e 's/namespace: data/namespace: staging/' -e s/STRICT/PERMISSIVE/ given/strict-data.yaml | kubectl apply -f -",
    },
  ],
  afterwards: ["kubectl delete --ignore-not-found peerauthentication default -n staging"],
};
