import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import { clusterNameProblem, formatServer, type RemoteCluster } from "./remote-cluster.ts";

const HEAD = "apiVersion: hauberk.dev/v1\nkind: RemoteCluster\n";

function parse(spec: string, metadata = "{name: east}") {
  return parseResources(`${HEAD}metadata: ${metadata}\nspec: ${spec}\n`, "east.yaml");
}

function read(spec: string): RemoteCluster {
  const { resources, issues, notices } = parse(spec);
  assert.deepEqual([issues, notices], [[], []]);
  const [resource] = resources;
  assert.ok(resource?.kind === "RemoteCluster");
  return resource;
}

test("the name, the server, and the trust domain where it is another", () => {
  const { meta, ...rest } = read("{server: 127.0.0.1:20001, trustDomain: east.example}");
  assert.deepEqual([meta.name, meta.namespace], ["east", ""]);
  assert.deepEqual(rest, {
    kind: "RemoteCluster",
    server: { address: "127.0.0.1", port: 20001 },
    trustDomain: "east.example",
  });
  assert.ok(!("trustDomain" in read("{server: 127.0.0.1:20001}")));
});

const SERVERS = [
  ["127.0.0.1:1", "127.0.0.1:1"],
  ["'[::1]:65535'", "[::1]:65535"],
  ["'[::ffff:127.0.0.1]:15012'", "127.0.0.1:15012"],
] as const;
for (const [written, expected] of SERVERS)
  test(`server ${written} is ${expected}`, () =>
    assert.equal(formatServer(read(`{server: ${written}}`).server), expected));

const FAULTS = [
  ["{}", "spec.server", /is missing/],
  ["{server: 20001}", "spec.server", /expected text/],
  ["{server: localhost:20001}", "spec.server", /not an IP address and a port/],
  ["{server: 127.0.0.1}", "spec.server", /expected such as 127.0.0.1:20001/],
  ["{server: '127.0.0.1:0'}", "spec.server", /not an IP address and a port/],
  ["{server: '127.0.0.1:65536'}", "spec.server", /not an IP address and a port/],
  ["{server: '127.0.0.256:1'}", "spec.server", /not an IP address and a port/],
  ["{server: '::1:20001'}", "spec.server", /not an IP address and a port/],
  ["{server: 'https://127.0.0.1:1'}", "spec.server", /not an IP address and a port/],
  ["{server: 127.0.0.1:1, trustDomain: East}", "spec.trustDomain", /is not a trust domain/],
  ["{server: 127.0.0.1:1, trustdomain: a}", "spec.trustdomain", /did you mean trustDomain/],
] as const;
for (const [spec, path, problem] of FAULTS)
  test(`refused: ${spec}`, () => {
    const { issues, resources } = parse(spec);
    assert.deepEqual(resources, []);
    assert.deepEqual([issues.length, issues[0]?.path], [1, path]);
    assert.match(issues[0]?.problem ?? "", problem);
  });

const NAMES = [
  ["Kubernetes", undefined],
  ["east-1.example_a", undefined],
  ["a".repeat(63), undefined],
  ["a".repeat(64), /no more than 63/],
  ["", /is not a cluster name/],
  ["..", /is not a cluster name/],
  ["a/b", /is not a cluster name/],
  ["-east", /with a letter or digit at both ends/],
  ["east\n", /is not a cluster name/],
] as const;
for (const [name, problem] of NAMES)
  test(`cluster name ${JSON.stringify(name).slice(0, 30)}`, () => {
    const found = clusterNameProblem(name);
    if (problem === undefined) assert.equal(found, undefined);
    else assert.match(found ?? "", problem);
  });

test("a name that is none is refused where it is written, and so is a namespace", () => {
  const { issues } = parse("{server: 127.0.0.1:1}", "{name: a/b, namespace: shop}");
  assert.deepEqual(
    issues.map(({ path }) => path),
    ["metadata.name", "metadata.namespace"],
  );
});
