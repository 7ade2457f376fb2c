import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuditCommandOptions, auditCommand } from "./audit.ts";

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function audit(path: string, options: Partial<AuditCommandOptions> = {}): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await auditCommand(
    [path],
    { data: "no-such-mesh", ...options },
    {
      print: (line) => void out.push(line),
      warn: (line) => void err.push(line),
      clock: { now: () => new Date(0) },
    },
  );
  return { code, out: out.join("\n"), err: err.join("\n") };
}

test("each practice has its verdict and evidence, and a fix where it is not met", async () => {
  const { code, out } = await audit("examples/first-verdict");
  assert.equal(code, 1);
  assert.match(out, /^✔ .* \[strict-mutual-tls\]: met\n {4}PeerAuthentication .*\.yaml:9\)/m);
  assert.match(out, /^✘ .* \[network-policies\]: not met\n(?: {4}.*\n)+? {4}fix:\n {6}apiVersion/m);
  assert.match(out, /^11 met, 2 not met, 4 cannot tell$/m);
  assert.doesNotMatch(out, /loopback mode/);
});

test("a fix that two practices share is printed once", async () => {
  async function* open(): AsyncIterable<Uint8Array> {
    yield Buffer.from(`apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {serviceAccountName: cart, containers: [{name: a, image: x}]}
`);
  }
  const { out } = await audit("-", { input: open() });
  assert.match(
    out,
    /\[deny-by-default\]: not met\n.*\n {4}fix: the same as of deny-all-baseline$/m,
  );
  assert.equal(out.split("name: deny-all, namespace: shop}\n      spec: {}").length, 2);
});

test("as JSON, there is one entry for each of 17 practices", async () => {
  const { out } = await audit("examples/first-verdict", { output: "json" });
  const { practices } = JSON.parse(out);
  assert.equal(practices.length, 17);
  assert.deepEqual(Object.keys(practices[0]).sort(), [
    "evidence",
    "fix",
    "id",
    "practice",
    "verdict",
  ]);
});

test("what cannot be read is not said to be good", async () => {
  assert.equal((await audit("no-such-folder")).code, 2);
  async function* broken(): AsyncIterable<Uint8Array> {
    yield Buffer.from("kind: [");
  }
  const { code, err } = await audit("-", { input: broken() });
  assert.equal(code, 2);
  assert.match(err, /<stdin>:1: error: is not valid YAML/);
});

test("a mesh that analyze warns of by a notice is not said to be clean", async () => {
  async function* unheard(): AsyncIterable<Uint8Array> {
    yield Buffer.from(`apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: nobody}, ports: [{name: http, port: 80}]}
`);
  }
  const input = unheard();
  const { out } = await audit("-", { input });
  assert.match(out, /\[regular-analysis\]: not met\n {4}HBK0100 .*matches no workload.*<stdin>:/);
});
