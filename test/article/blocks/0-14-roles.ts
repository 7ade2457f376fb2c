import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

const USERS = { iss: "https://auth.example.com", aud: "api.example.com", sub: "alice" };
const API = "http://api-service.production:8080/api/a";
const PROVIDERS = ["kubectl apply -f given/providers.yaml"];

export const block: ArticleBlock = {
  article: 0,
  block: 14,
  proves:
    "what a user may do depends on the role in the token: all methods, three, or one; without a token nothing",
  needsNamespaces:
    "the keys of its tokens are fetched at the address of a pod, and pods have none of their own",
  prepare: (mesh) => mesh.leadToProvider(),
  given: [...PROVIDERS, "kubectl apply -f seeds/11-request-authentication.yaml"],
  deeds: [apply("12-require-jwt-by-role")],
  calls: async ({ provider }) => {
    const from = "production/frontend";
    const as = async (role: string): Promise<readonly string[]> => [
      `Authorization: Bearer ${await provider.sign({ ...USERS, role })}`,
    ];
    const [admin, editor, viewer] = [await as("admin"), await as("editor"), await as("viewer")];
    return [
      { from, to: API, gives: 403 },
      { from, to: API, method: "DELETE", headers: admin, gives: 200 },
      { from, to: API, method: "PUT", headers: editor, gives: 200 },
      { from, to: API, method: "DELETE", headers: editor, gives: 403 },
      { from, to: API, headers: viewer, gives: 200 },
      { from, to: API, method: "POST", headers: viewer, gives: 403 },
      { from, to: API, headers: await as("nobody"), gives: 403 },
    ];
  },
  afterwards: [remove("12-require-jwt-by-role"), remove("11-request-authentication")],
  mutations: [
    { name: "the policy is deleted", run: remove("12-require-jwt-by-role") },
    { name: "tokens are verified no more", run: remove("11-request-authentication") },
    {
      name: "roles do not count",
      run: flip("authorizationpolicy", ["production", "require-jwt"], {
        spec: { rules: [{ from: [{ source: { requestPrincipals: ["*"] } }] }] },
      }),
    },
  ],
};
