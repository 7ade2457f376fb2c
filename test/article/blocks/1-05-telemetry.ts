import { randomUUID } from "node:crypto";
import { type ArticleBlock, apply, flip, remove } from "../article-block.ts";

const API = "http://api-service.production:8080";
/** In the paths of one run: earlier ones have left their lines. */
let run = "";

export const block: ArticleBlock = {
  article: 1,
  block: 5,
  proves:
    "a filter of access logs keeps what was refused and what came in plaintext, and nothing else",
  deeds: [apply("21-telemetry")],
  prepare: async (mesh) => {
    run = randomUUID();
    await mesh.write("given/run", run);
  },
  calls: async () => [
    { from: "production/frontend", to: `${API}/quiet?${run}`, gives: 200 },
    { from: "legacy/database", to: `${API}/plain?${run}`, gives: 200 },
  ],
  questions: [
    {
      ask: 'kubectl logs deploy/api-service -c istio-proxy -n production | grep -v \'"level"\' | grep "$(cat given/run)"',
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
