import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnalyzeCommandOptions, analyzeCommand } from "./analyze.ts";

interface Said {
  readonly code: number;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

async function analyze(path: string, options: Partial<AnalyzeCommandOptions> = {}): Promise<Said> {
  const out: string[] = [];
  const err: string[] = [];
  const printers = {
    print: (line: string) => void out.push(line),
    warn: (line: string) => void err.push(line),
  };
  const code = await analyzeCommand([path], { data: "no-such-mesh", ...options }, printers);
  return { code, out, err };
}

async function* piped(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

const LONELY_ROUTE = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: [cart]
  http:
  - route:
    - destination: {host: nobody}
`;

test("an example is free of what is odd", async () => {
  const { code, out, err } = await analyze("examples/first-verdict");
  assert.deepEqual([code, err], [0, []]);
  assert.deepEqual(
    out.filter((line) => !line.startsWith("Info ")),
    [],
  );
});

test("a finding has its code, its resource and its line, and makes the exit code 1", async () => {
  const { code, out } = await analyze("-", { input: piped(LONELY_ROUTE) });
  assert.equal(code, 1);
  assert.match(
    out.join("\n"),
    /^Error \[IST0101\] \(VirtualService shop\/cart <stdin>:8\) Referenced host not found: "nobody"; a name without a dot is a service of shop$/m,
  );
});

test("-n leaves out what concerns other namespaces, -A does not", async () => {
  const elsewhere = await analyze("-", { input: piped(LONELY_ROUTE), namespace: "bank" });
  assert.ok(!elsewhere.out.join("\n").includes("IST0101"));
  const everywhere = await analyze("-", {
    input: piped(LONELY_ROUTE),
    namespace: "bank",
    allNamespaces: true,
  });
  assert.ok(everywhere.out.join("\n").includes("IST0101"));
});

test("as JSON, each finding has istioctl's fields", async () => {
  const { out } = await analyze("-", { input: piped(LONELY_ROUTE), output: "json" });
  const [first] = JSON.parse(out.join("\n"));
  assert.deepEqual(first, {
    code: "IST0101",
    level: "Error",
    message: 'Referenced host not found: "nobody"; a name without a dot is a service of shop',
    name: "ReferencedResourceNotFound",
    origin: "VirtualService shop/cart",
    reference: "<stdin>:8",
  });
});

test("what could not be looked at is not said to be good", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    const { code, err } = await analyze("examples/seeds/13-opa.yaml");
    assert.equal(code, 2);
    assert.match(err.join("\n"), /opa-authorizer: its Rego was not looked at: there is no program/);
  } finally {
    process.env["PATH"] = path;
  }
  assert.equal((await analyze("no-such-folder")).code, 2);
});

/** What the mesh is told of it is no analyzer's finding. */
const FOLLOWED_BY_ENVOY_ALONE = `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: filter, namespace: shop}
spec: {url: "oci://registry.example/filter"}
`;

test("-n asks of notices too whom they concern", async () => {
  const input = (): AsyncIterable<Uint8Array> => piped(FOLLOWED_BY_ENVOY_ALONE);
  const told = async (namespace: string): Promise<boolean> =>
    (await analyze("-", { input: input(), namespace })).out.join("\n").includes("HBK010");
  assert.equal(await told("shop"), true);
  assert.equal(await told("bank"), false);
});
