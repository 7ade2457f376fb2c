import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

const USERS = { iss: "https://auth.example.com", aud: "api.example.com", sub: "alice" };
const API = "http://api-service.production:8080/api/a";
const PROVIDERS = ["kubectl apply -f given/providers.yaml"];

export const block: ArticleBlock = {
  article: 0,
  block: 13,
  proves:
    "a token has to be good where there is one, in the header or the query, and its payload is told to the application; without one nothing is demanded",
  needsNamespaces:
    "the keys of its tokens are fetched at the address of a pod, and pods have none of their own",
  prepare: (mesh) => mesh.leadToProvider(),
  given: PROVIDERS,
  deeds: [apply("11-request-authentication")],
  calls: async ({ provider }) => {
    const from = "production/frontend";
    const good = await provider.sign(USERS);
    const google = await provider.sign({
      iss: "https://accounts.google.com",
      aud: "your-google-client-id.apps.googleusercontent.com",
    });
    const expired = await provider.sign({ ...USERS, exp: 1 });
    const with_ = (token: string): readonly string[] => [`Authorization: Bearer ${token}`];
    return [
      { from, to: API, headers: with_(expired), gives: 401, body: /Jwt is expired/ },
      { from, to: API, headers: with_(good), gives: 200, body: /"x-jwt-payload":"/ },
      { from, to: `${API}?access_token=${good}`, gives: 200, body: /"x-jwt-payload":"/ },
      { from, to: API, headers: with_(google), gives: 200 },
      { from, to: API, gives: 200 },
    ];
  },
  afterwards: [remove("11-request-authentication")],
  mutations: [
    { name: "the rules are deleted", run: remove("11-request-authentication") },
    {
      name: "the issuer is another",
      run: flip("requestauthentication", ["production", "jwt-auth"], {
        spec: { jwtRules: [{ issuer: "https://elsewhere.example" }] },
      }),
    },
    {
      name: "the audience is another",
      run: flip("requestauthentication", ["production", "jwt-auth"], {
        spec: {
          jwtRules: [
            {
              issuer: "https://auth.example.com",
              jwksUri: "https://auth.example.com/.well-known/jwks.json",
              audiences: ["other.example.com"],
            },
          ],
        },
      }),
    },
  ],
};
