import { type ArticleBlock, apply, remove } from "../article-block.ts";

const GATEWAY = "http://api-gateway.production:8080/";

export const block: ArticleBlock = {
  article: 1,
  block: 3,
  proves: "a denial of whoever has no principal demands a token of everybody",
  needsNamespaces:
    "the keys of its tokens are fetched at the address of a pod, and pods have none of their own",
  prepare: (mesh) => mesh.leadToProvider(),
  given: ["kubectl apply -f given/providers.yaml"],
  deeds: [apply("19-v1beta1-jwt-deny-without-token")],
  calls: async ({ provider }) => {
    const from = "production/frontend";
    const claims = { iss: "https://auth.company.com", aud: "api.company.com", sub: "bob" };
    const headers = [`Authorization: Bearer ${await provider.sign(claims)}`];
    const wrong = [`Authorization: Bearer ${await provider.sign({ ...claims, aud: "other" })}`];
    return [
      { from, to: GATEWAY, gives: 403 },
      { from, to: GATEWAY, headers: wrong, gives: 403, body: /Audiences in Jwt are not allowed/ },
      { from, to: GATEWAY, headers, gives: 200 },
    ];
  },
  afterwards: [remove("19-v1beta1-jwt-deny-without-token")],
  mutations: [
    { name: "both are deleted", run: remove("19-v1beta1-jwt-deny-without-token") },
    {
      name: "the denial is deleted",
      run: "kubectl delete authorizationpolicy require-jwt -n production",
    },
    {
      name: "tokens are verified no more",
      run: "kubectl delete requestauthentication jwt-auth -n production",
    },
  ],
};
