import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { type ConformanceOptions, runConformance } from "./run-conformance.ts";

const root = mkdtempSync(join(tmpdir(), "hauberk-conformance-"));
after(() => rmSync(root, { recursive: true }));
let folders = 0;

/** A folder of suites, from the JSON of each file. */
function folderOf(files: Readonly<Record<string, unknown>>): string {
  folders += 1;
  const directory = join(root, String(folders));
  mkdirSync(directory);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), JSON.stringify(content));
  }
  return directory;
}

async function run(
  files: Readonly<Record<string, unknown>>,
  suite?: string,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const directory = folderOf(files);
  const code = await runConformance({ directory, suite }, (line) => lines.push(line));
  return { code, lines };
}

const denyAll = { metadata: { namespace: "x" }, spec: { podSelector: {} } };
const traffic = (name: string, changes: object = {}): object => ({
  name,
  source: { path: "upstream" },
  policies: [denyAll],
  source_peer: { namespace: "y", ip: "10.0.0.1" },
  destination: { namespace: "x", ip: "10.0.0.2" },
  port: 80,
  protocol: "TCP",
  allowed: false,
  ...changes,
});
const reachability = (reachable: object, changes: object = {}): object => ({
  name: "deny",
  pods: ["x/a", "x/b", "y/a"],
  policies: [
    {
      metadata: { namespace: "x" },
      spec: {
        podSelector: { matchLabels: { pod: "a" } },
        ingress: [{ from: [{ podSelector: {} }] }],
      },
    },
  ],
  port: 80,
  protocol: "TCP",
  reachable,
  ...changes,
});

test("each table has its line, given and held out apart; objects are completed", async () => {
  const { code, lines } = await run({
    "networkpolicy/given/traffic.json": { cases: [traffic("one"), traffic("two")] },
    "networkpolicy/heldout/traffic.json": {
      cases: [traffic("three", { destination: { namespace: "z", ip: "10.0.0.3" }, allowed: true })],
    },
    "networkpolicy/given/fixtures/rest.json": { cases: [traffic("no table")] },
  });
  assert.deepEqual(lines, [
    "networkpolicy/traffic: 2 passed, 0 failed, 0 skipped, 0 excluded",
    "networkpolicy/traffic (heldout): 1 passed, 0 failed, 0 skipped, 0 excluded",
  ]);
  assert.equal(code, 0);
});

test("a failure has its name, what was expected and what came, and the exit code 1", async () => {
  const { code, lines } = await run({
    "networkpolicy/given/traffic.json": {
      cases: [traffic("one"), traffic("two", { allowed: true })],
    },
  });
  assert.deepEqual(lines, [
    "networkpolicy/traffic: 1 passed, 1 failed, 0 skipped, 0 excluded",
    "  failed: two",
    "    expected allowed",
    "    got      refused",
  ]);
  assert.equal(code, 1);
});

test("a table of pairs tells those that differ", async () => {
  const { code, lines } = await run({
    "networkpolicy/given/kubernetes-netpol.json": {
      cases: [
        reachability({ "x/b": { "x/a": true, "y/a": true }, "y/a": { "x/a": false, "x/b": true } }),
        reachability({ "x/b": { "x/a": false }, "y/a": { "x/a": true, "x/b": true } }),
        reachability(
          { "y/a": { "x/a": true } },
          { setup: { podLabels: { "x/a": { pod: "changed" } } } },
        ),
        reachability({ "y/a": { "x/a": false } }, { protocol: "SCTP" }),
      ],
    },
  });
  assert.deepEqual(lines, [
    "networkpolicy/kubernetes-netpol: 3 passed, 1 failed, 0 skipped, 0 excluded",
    "  failed: deny",
    "    expected x/b -> x/a: false, y/a -> x/a: true",
    "    got      x/b -> x/a: true, y/a -> x/a: false",
  ]);
  assert.equal(code, 1);
});

test("a table of rows judges one direction, or both", async () => {
  const pod = (Namespace: string, Name: string, IP: string): object => ({
    Namespace,
    Name,
    IP,
    Labels: { pod: Name },
    Containers: [{ Name: "c", Port: 80, PortName: "serve", Protocol: "tcp" }],
  });
  const row = (direction: string, allowed: boolean): object => ({
    name: direction,
    policiesFile: "fixtures/policies.json",
    resourcesFile: "fixtures/resources.json",
    direction,
    protocol: "TCP",
    port: 80,
    from: "x/a",
    allowedTo: { "x/a": allowed, "x/b": allowed },
  });
  const { code, lines } = await run({
    "networkpolicy/given/fixtures/policies.json": { policies: [denyAll] },
    "networkpolicy/given/fixtures/resources.json": {
      Resources: {
        Namespaces: { x: {} },
        Pods: [pod("x", "a", "10.0.0.1"), pod("x", "b", "10.0.0.2")],
      },
    },
    "networkpolicy/given/probe-tables.json": {
      cases: [row("ingress", false), row("egress", true), row("combined", false)],
    },
  });
  assert.deepEqual(lines, [
    "networkpolicy/probe-tables: 3 passed, 0 failed, 0 skipped, 0 excluded",
  ]);
  assert.equal(code, 0);
});

test("what is not understood is skipped with its reason, and does not count as passed", async () => {
  const { code, lines } = await run({
    "networkpolicy/given/traffic.json": { cases: [traffic("odd", { moon: "full" })] },
    "networkpolicy/given/unheard-of.json": { cases: [{ name: "x" }] },
    "networkpolicy/given/kubernetes-netpol.json": {
      cases: [reachability({}, { setup: { nodes: 3 } }), reachability({})],
    },
    "moon/given/phases.json": { cases: [{ name: "a" }, { name: "b" }] },
    "moon/heldout/phases.json": { cases: [{ name: "c" }] },
  });
  assert.deepEqual(lines, [
    "moon: no runner yet (3 cases)",
    "networkpolicy/kubernetes-netpol: 0 passed, 0 failed, 2 skipped, 0 excluded",
    "  skipped: deny: setup not understood: nodes",
    "  skipped: deny: nothing is expected",
    "networkpolicy/traffic: 0 passed, 0 failed, 1 skipped, 0 excluded",
    "  skipped: odd: fields not understood: moon",
    "networkpolicy/unheard-of: 0 passed, 0 failed, 1 skipped, 0 excluded",
    "  skipped: x: no runner for this table",
    "nothing ran",
  ]);
  assert.equal(code, 1);
});

test("a resource that is refused is a failure that tells the issue", async () => {
  const spec = { podSelector: {}, ingress: [{ from: [{}] }] };
  const { code, lines } = await run({
    "networkpolicy/given/traffic.json": { cases: [traffic("bad", { policies: [{ spec }] })] },
  });
  assert.equal(code, 1);
  assert.match(lines.join("\n"), /got {6}Error: .*spec\.ingress\[0\]\.from\[0\] names no peer/);
});

for (const [what, files, suite] of [
  ["an empty folder", {}, undefined],
  ["a suite that is not there", { "networkpolicy/given/traffic.json": { cases: [] } }, "jwt"],
  ["a table without cases", { "networkpolicy/given/traffic.json": { cases: [] } }, undefined],
] as const) {
  test(`${what} is no success`, async () => {
    const { code, lines } = await run(files, suite);
    assert.equal(lines.at(-1), "nothing ran");
    assert.equal(code, 1);
  });
}

test("the suite that is asked for runs alone", async () => {
  const { code, lines } = await run(
    {
      "jwt/given/tokens.json": { cases: [{ name: "a" }] },
      "networkpolicy/given/traffic.json": { cases: [traffic("one")] },
    },
    "networkpolicy",
  );
  assert.deepEqual(lines, ["networkpolicy/traffic: 1 passed, 0 failed, 0 skipped, 0 excluded"]);
  assert.equal(code, 0);
});

for (const [excluded, told] of [
  ["counted", []],
  ["named", ["  excluded: one: no form"]],
] as const) {
  test(`what a rule excludes is ${excluded}, and does not count as run`, async () => {
    const lines: string[] = [];
    const directory = folderOf({ "own/given/table.json": { cases: [{ name: "one" }] } });
    const runners: ConformanceOptions["runners"] = {
      own: { table: { fields: [], run: () => ({ outcome: "excluded", reason: "no form" }) } },
    };
    const code = await runConformance({ directory, runners, excluded }, (line) => lines.push(line));
    const sums = "own/table: 0 passed, 0 failed, 0 skipped, 1 excluded";
    assert.deepEqual(lines, [sums, ...told, "nothing ran"]);
    assert.equal(code, 1);
  });
}
