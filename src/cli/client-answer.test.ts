import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { judge } from "../policy/judge.ts";
import { answerInWords, limitedAnswer } from "./client-answer.ts";
import type { LimitsLeft } from "./limits-left.ts";
import { loadMesh } from "./load-mesh.ts";
import { parseQuestion } from "./parse-question.ts";

const MESH = `apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart}}
    spec: {containers: [{name: a, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{name: http, port: 80}]}
---
apiVersion: hauberk.dev/v1alpha1
kind: RateLimit
metadata: {name: busy, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  limits: [LIMIT]
`;
const ENFORCED = "{name: a, requests: 1, per: 1s}";
const GLOBAL = "{name: a, requests: 1, per: 1s, scope: Global}";
const ON_TRIAL = "{name: a, requests: 1, per: 1s, mode: Shadow}";
const CONNECTIONS = "{name: a, openConnections: 1}";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-client-answer-"));
});
after(() => rm(folder, { recursive: true }));

const FULL: LimitsLeft = [{ left: 0, waitMs: 300 }];
const UNKNOWN_WAIT: LimitsLeft = [{ left: 0, waitMs: null }];
const rows: readonly [
  what: string,
  limit: string,
  left: LimitsLeft,
  expected: string | undefined,
  header?: string,
][] = [
  ["no room", ENFORCED, FULL, "429 local_rate_limited"],
  ["no room in the mesh", GLOBAL, FULL, "429 request_rate_limited"],
  ["no room, nobody knows for how long", ENFORCED, UNKNOWN_WAIT, "429 local_rate_limited"],
  [
    "no room, gRPC",
    ENFORCED,
    FULL,
    "grpc-status 8 local_rate_limited",
    "content-type: application/grpc",
  ],
  ["room", ENFORCED, [{ left: 1, waitMs: 0 }], undefined],
  ["room again just now", ENFORCED, [{ left: 0, waitMs: 0 }], undefined],
  ["not known", ENFORCED, [undefined], undefined],
  ["no room, on trial", ON_TRIAL, FULL, undefined],
  ["no room for connections, which are no answer", CONNECTIONS, FULL, undefined],
];
for (const [what, limit, left, expected, header] of rows) {
  test(`a limit with ${what}: ${expected ?? "no answer"}`, async () => {
    const file = join(folder, "mesh.yaml");
    await writeFile(file, MESH.replace("LIMIT", limit));
    const { snapshot, issues } = await loadMesh([file]);
    assert.deepEqual(issues, []);
    const text = { from: "outside", to: "shop/cart:80", request: "GET /" };
    const question = parseQuestion(snapshot, { ...text, header: header ? [header] : [] });
    const judgement = judge(snapshot, question);
    assert.equal(judgement.limits?.length, 1);
    const answer = limitedAnswer(judgement, left, question.request);
    assert.equal(answer && answerInWords(answer), expected);
  });
}
