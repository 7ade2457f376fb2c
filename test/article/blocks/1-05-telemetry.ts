import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

export const block: ArticleBlock = {
  article: 1,
  block: 5,
  proves:
    "a filter of access logs keeps what was refused and what came in plaintext, and nothing else",
  deeds: [apply("21-telemetry")],
  prepare: async (mesh) => void (await mesh.run("sleep 0")),
  calls: [
    { from: "production/frontend", to: "http://api-service.production:8080/quiet", gives: 200 },
    { from: "legacy/database", to: "http://api-service.production:8080/plain", gives: 200 },
  ],
  questions: [
    {
      ask: "kubectl logs deploy/api-service -c istio-proxy -n production | grep -v '\"level\"' | tail -n 1",
      answer: /\/plain/,
      never: /\/quiet/,
    },
  ],
  afterwards: [remove("21-telemetry")],
  mutations: [
    { name: "the logs are deleted", run: remove("21-telemetry") },
    {
      name: "the filter is another",
      run: flip("telemetry", ["istio-system", "security-logging"], {
        spec: {
          accessLogging: [
            { providers: [{ name: "envoy" }], filter: { expression: "response.code >= 500" } },
          ],
        },
      }),
    },
  ],
};
