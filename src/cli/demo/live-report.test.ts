import assert from "node:assert/strict";
import { test } from "node:test";
import { accessLogEntry } from "../../../test/kit/access-log-entry.ts";
import { snapshotOf, workloadNamed } from "../../../test/kit/mesh-parts.ts";
import { smallTerminal } from "../../../test/kit/small-terminal.ts";
import type { Decision } from "../../policy/decision.ts";
import { LiveReport } from "./live-report.ts";
import { COLOURS, NO_COLOURS } from "./paint.ts";
import type { Finding, Row } from "./row.ts";
import { Screen } from "./screen.ts";

const refusal: Decision = {
  verdict: "deny",
  reason: {
    because: "no-allow-matched",
    considered: [{ kind: "AuthorizationPolicy", namespace: "production", name: "api-access" }],
    nearest: [0, 1].map((rule) => ({
      rule: {
        policy: { kind: "AuthorizationPolicy", namespace: "production", name: "api-access" },
        rule,
        source: { file: "authorization.yaml", line: 39 + rule },
      },
      unmet: [{ field: "to.operation.methods", expected: "GET, POST", got: "DELETE" }],
    })),
  },
};
const finding: Finding = {
  verdict: "refused 403",
  because: "",
  identities: "production/frontend -> production/api",
  decision: refusal,
  surprises: [],
};
const row: Row = {
  caller: "frontend",
  callee: "api:8080",
  request: "DELETE /api/v1/orders",
  expected: "refused for its method",
  play: async () => finding,
};

for (const [name, paint] of [
  ["with colours", COLOURS],
  ["without colours", NO_COLOURS],
] as const) {
  test(`a row is shown while it is played, then its verdict in its place, explained (${name})`, () => {
    const terminal = smallTerminal(100);
    const report = new LiveReport(new Screen(terminal), { paint, rows: 30 });
    report.begin(1, row);
    const pending = terminal.lines().join("\n");
    assert.match(
      pending,
      /DELETE \/api\/v1\/orders +…\n.*refused for its method\n0 of 30 rows, 0 surprises/,
    );
    report.end(1, { row, finding });
    const shown = terminal.lines().join("\n");
    assert.doesNotMatch(shown, /…|0 of 30/);
    assert.match(shown, /1 {3}frontend .* refused 403\n {4}nearest production\/api-access\[0\] /);
    assert.match(shown, /rules\[0\].*authorization\.yaml:39\)\n/);
    assert.match(shown, /to\.operation\.methods: expected GET, POST; got DELETE/);
    assert.doesNotMatch(shown, /rules\[1\]/, "the nearest rule alone");
  });
}

test("nothing is wider than the terminal", () => {
  const terminal = smallTerminal(100);
  const report = new LiveReport(new Screen(terminal), { paint: NO_COLOURS, rows: 30 });
  const long = { ...row, request: `GET /${"x".repeat(200)}`, expected: "y ".repeat(100) };
  report.begin(1, long);
  report.end(1, { row: long, finding: { ...finding, surprises: ["z ".repeat(100)] } });
  assert.ok(terminal.widest() <= 100, String(terminal.widest()));
});

test("a surprise is said in words", () => {
  const terminal = smallTerminal(100);
  const report = new LiveReport(new Screen(terminal), { paint: NO_COLOURS, rows: 2 });
  report.begin(1, row);
  report.end(1, { row, finding: { ...finding, surprises: ["reason: expected a, got b"] } });
  report.begin(2, row);
  assert.match(terminal.lines().join("\n"), / {4}SURPRISE: reason: expected a, got b\n/);
  assert.match(terminal.lines().join("\n"), /1 of 2 rows, 1 surprise\b/);
});

test("what a sidecar decides by itself is a row too; what a caller sent moves no cursor", () => {
  const terminal = smallTerminal(100);
  const report = new LiveReport(new Screen(terminal), { paint: NO_COLOURS, rows: 1 });
  const snapshot = snapshotOf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: production}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers: [{name: api, image: api, command: [api], ports: [{containerPort: 8080}]}]
`);
  const judge = workloadNamed(snapshot, "production/api-0");
  const entry = accessLogEntry({ path: "/\u001b[2J", response_code: 403, decision: refusal });
  report.decided(entry, judge);
  const shown = terminal.lines().join("\n");
  assert.match(shown, /^ {4}frontend {5}api:8080 {7}GET \/\\u\{1b\}\[2J +refused 403\n/);
  assert.match(shown, /got DELETE/);
});

test("a command to copy is written in one piece, however small the terminal is", () => {
  const written: string[] = [];
  const terminal = { write: (text: string) => void written.push(text), columns: () => 20 };
  const report = new LiveReport(new Screen(terminal), { paint: NO_COLOURS, rows: 0 });
  const command = "npx hauberk explain -f examples/production --from a --to b";
  report.printWhole(command);
  assert.deepEqual(written, [`${command}\n`]);
});
