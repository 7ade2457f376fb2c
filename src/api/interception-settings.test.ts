import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_INTERCEPTION, type InterceptionSettings } from "./interception-settings.ts";
import { parseResources } from "./parse-resources.ts";

/** Annotations begin at line 10, one a line. */
const text = (annotations: Readonly<Record<string, string>>): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
      annotations:
${Object.entries(annotations)
  .map(([name, value]) => `        ${name}: ${value}\n`)
  .join("")}
    spec: {containers: [{name: a, image: x}]}
`;

function read(annotations: Readonly<Record<string, string>>) {
  const { resources, issues, notices } = parseResources(text(annotations), "mesh.yaml");
  assert.deepEqual(issues, []);
  const [resource] = resources;
  assert.ok(resource?.kind === "Deployment");
  return { settings: resource.template.interception, notices };
}

const MODE = "sidecar.istio.io/interceptionMode";
const traffic = (name: string): string => `traffic.sidecar.istio.io/${name}`;

test("INJ-20..INJ-23: without annotations everything is intercepted, and nothing is told", () => {
  assert.deepEqual(read({ "other.example/a": "b" }), {
    settings: DEFAULT_INTERCEPTION,
    notices: [],
  });
});

type Case = [
  rule: string,
  name: string,
  value: string,
  settings: Partial<InterceptionSettings>,
  notice?: RegExp,
];
const BYPASS = /connections to these ports bypass the sidecar: .*not even a DENY \(INJ-25\)/;
const OTHERS = /connections to any other port bypass the sidecar: .*not even a DENY \(INJ-25\)/;
const LEAVES = /the pod's connections there bypass its sidecar: in plaintext.*\(INJ-25\)/;
const cases: readonly Case[] = [
  ["INJ-20", MODE, "REDIRECT", {}],
  ["INJ-20", MODE, "TPROXY", {}, /TPROXY is not supported yet: done as REDIRECT/],
  ["INJ-20", MODE, "NONE", { mode: "NONE" }, /no connection is led to the sidecar.*INJ-25/],
  ["INJ-21", traffic("includeInboundPorts"), "'*'", {}],
  ["INJ-21", traffic("includeInboundPorts"), "''", { inboundPorts: [] }, OTHERS],
  ["INJ-21", traffic("includeInboundPorts"), "80, 443", { inboundPorts: [80, 443] }, OTHERS],
  ["INJ-22", traffic("excludeInboundPorts"), "''", {}],
  ["INJ-22", traffic("excludeInboundPorts"), "'9000'", { excludedInboundPorts: [9000] }, BYPASS],
  ["INJ-22", traffic("excludeInboundPorts"), "9000,9000", { excludedInboundPorts: [9000] }, BYPASS],
  [
    "INJ-24",
    traffic("excludeInboundPorts"),
    "15021,15090",
    { excludedInboundPorts: [15021, 15090] },
  ],
  ["INJ-22", traffic("includeOutboundPorts"), "80,81", { includedOutboundPorts: [80, 81] }],
  [
    "INJ-22",
    traffic("excludeOutboundPorts"),
    "3306,1",
    { excludedOutboundPorts: [3306, 1] },
    LEAVES,
  ],
  ["INJ-23", traffic("includeOutboundIPRanges"), "'*'", {}],
  ["INJ-23", traffic("includeOutboundIPRanges"), "''", { outboundRanges: [] }, LEAVES],
  [
    "INJ-23",
    traffic("includeOutboundIPRanges"),
    "10.1.2.3/8,FD00::1/8",
    { outboundRanges: ["10.0.0.0/8", "fd00:0:0:0:0:0:0:0/8"] },
    LEAVES,
  ],
  [
    "INJ-23",
    traffic("excludeOutboundIPRanges"),
    "169.254.169.254/32",
    { excludedOutboundRanges: ["169.254.169.254/32"] },
    LEAVES,
  ],
  ["INJ-23", traffic("excludeInterfaces"), "eth1", {}, /without effect here yet: .*excludeInterf/],
  ["INJ-23", traffic("kubevirtInterfaces"), "tap0", {}, /without effect here yet: .*kubevirtInt/],
];
for (const [rule, name, value, settings, notice] of cases) {
  test(`${rule} ${name}: ${value} gives ${JSON.stringify(settings)}`, () => {
    const found = read({ [name]: value });
    assert.deepEqual(found.settings, { ...DEFAULT_INTERCEPTION, ...settings });
    assert.equal(found.notices.length, notice === undefined ? 0 : 1, JSON.stringify(found.notices));
    if (notice !== undefined) assert.match(found.notices[0]?.message ?? "", notice);
  });
}

test("INJ-25 a notice stands at its annotation", () => {
  const { notices } = read({ "a.example/b": "c", [traffic("excludeInboundPorts")]: "'9000'" });
  assert.deepEqual(
    notices.map(({ source, path }) => [source.line, path]),
    [[11, `spec.template.metadata.annotations["${traffic("excludeInboundPorts")}"]`]],
  );
});

const invalid: [name: string, value: string, issues: readonly RegExp[]][] = [
  [MODE, "redirect", [/is "redirect"; expected one of REDIRECT, TPROXY, NONE$/]],
  [
    traffic("excludeInboundPorts"),
    "80,x,,65536",
    [/has "x"; expected a port from 1/, /has ""; expected/, /has "65536"; expected/],
  ],
  [traffic("excludeInboundPorts"), "8080", [/is the number 8080; expected text: write "8080"$/]],
  [traffic("excludeInboundPorts"), "'*'", [/has "\*"; expected a port/]],
  [traffic("includeInboundPorts"), "'*,80'", [/has "\*"; expected a port/]],
  [traffic("includeOutboundPorts"), "'0'", [/has "0"; expected a port/]],
  [traffic("excludeOutboundPorts"), "http", [/has "http"; expected a port/]],
  [traffic("includeOutboundIPRanges"), "10.0.0.1", [/has "10\.0\.0\.1"; expected a range such as/]],
  [traffic("includeOutboundIPRanges"), "10.0.0.0/33", [/has "10\.0\.0\.0\/33"; expected a range/]],
  [
    traffic("excludeOutboundIPRanges"),
    "'10.0.0.0/8,} ; drop'",
    [/has "} ; drop"; expected a range/],
  ],
  [traffic("excludeOutboundIPRanges"), "'*'", [/has "\*"; expected a range/]],
];
for (const [name, value, expected] of invalid) {
  test(`INJ-18 ${name}: ${value} is refused`, () => {
    const { issues, resources } = parseResources(text({ [name]: value }), "mesh.yaml");
    assert.equal(issues.length, expected.length, JSON.stringify(issues));
    for (const [index, { source, path, problem }] of issues.entries()) {
      assert.equal(source.line, 10);
      assert.equal(path, `spec.template.metadata.annotations["${name}"]`);
      assert.match(problem, expected[index] ?? /^$/);
    }
    assert.deepEqual(resources, []);
  });
}

test("law: whatever is written, what is read of ports and ranges holds nothing else", () => {
  const names = ["includeInboundPorts", "excludeOutboundPorts", "excludeOutboundIPRanges"];
  const piece = fc.oneof(
    fc.constantFrom("80", "*", " 443", "10.0.0.0/8", "::/0", "", "01"),
    fc.string({ maxLength: 6 }),
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.array(piece, { maxLength: 3 }), (name, pieces) => {
      const written = text({ [traffic(name)]: JSON.stringify(pieces.join(",")) });
      const [resource] = parseResources(written, "f").resources;
      if (resource?.kind !== "Deployment") return;
      accepted++;
      const { interception: read } = resource.template;
      const { inboundPorts, excludedOutboundPorts, excludedOutboundRanges } = read;
      for (const port of [
        ...(inboundPorts === "all" ? [] : inboundPorts),
        ...excludedOutboundPorts,
      ]) {
        assert.ok(Number.isInteger(port) && port >= 1 && port <= 65_535);
      }
      for (const range of excludedOutboundRanges) assert.match(range, /^[0-9a-f.:]+\/\d+$/);
    }),
    { numRuns: 500 },
  );
  assert.ok(accepted > 20, `${accepted} were accepted`);
});
