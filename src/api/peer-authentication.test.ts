import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResources } from "./parse-resources.ts";
import type { PeerAuthentication } from "./peer-authentication.ts";

const HEAD = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
`;
const parse = (spec: string) => parseResources(`${HEAD}${spec}`, "mesh.yaml");
const issues = (spec: string): string[] =>
  parse(spec).issues.map(({ source, path, problem }) => `${source.line} ${path}: ${problem}`);

type Spec = Pick<PeerAuthentication, "selector" | "mode" | "portModes">;
const none: Spec = { selector: {}, mode: "UNSET", portModes: new Map() };
const selector = { app: "api" };
const valid: [rule: string, spec: string, Spec][] = [
  ["no spec", "", none],
  ["PA-9 mtls absent", "spec: {}", none],
  ["PA-9 mtls empty", "spec: {mtls: {}}", none],
  ["PA-9 mtls null", "spec:\n  mtls:", none],
  ["PA-9 mode null", "spec: {mtls: {mode: null}}", none],
  ["PA-1 STRICT", "spec: {mtls: {mode: STRICT}}", { ...none, mode: "STRICT" }],
  ["PA-1 UNSET", "spec: {mtls: {mode: UNSET}}", none],
  [
    "PA-14 ports with a selector",
    "spec: {selector: {matchLabels: {app: api}}, portLevelMtls: {8080: {mode: DISABLE}, '9090': {}}}",
    {
      ...none,
      selector,
      portModes: new Map([
        [8080, "DISABLE"],
        [9090, "UNSET"],
      ]),
    },
  ],
  [
    "VAL-3 an empty value is no wildcard",
    "spec: {selector: {matchLabels: {app: ''}}}",
    { ...none, selector: { app: "" } },
  ],
  ["VAL-2 status is not ours", "spec: {}\nstatus: {conditions: []}", none],
];
for (const [rule, spec, expected] of valid) {
  test(`${rule}: ${JSON.stringify(spec)} is accepted`, () => {
    const { resources, issues: found } = parse(spec);
    assert.deepEqual(found, []);
    assert.deepEqual(resources, [
      {
        kind: "PeerAuthentication",
        meta: {
          apiVersion: "security.istio.io/v1",
          namespace: "shop",
          name: "default",
          labels: {},
          annotations: {},
          source: { file: "mesh.yaml", line: 1 },
        },
        ...expected,
      },
    ]);
  });
}

const invalid: [rule: string, spec: string, issue: RegExp][] = [
  [
    "VAL-13",
    "spec:\n  mtls:\n    mode: STRCT",
    /^6 spec\.mtls\.mode: is "STRCT"; expected one of UNSET, DISABLE, PERMISSIVE, STRICT$/,
  ],
  ["VAL-13 case", "spec: {mtls: {mode: strict}}", /^4 spec\.mtls\.mode: is "strict"/],
  [
    "VAL-2 misspelt",
    "spec:\n  mtsl: {mode: STRICT}",
    /^5 spec\.mtsl: is not a known field; did you mean mtls\?$/,
  ],
  [
    "VAL-2 misspelt inside",
    "spec:\n  mtls:\n    mod: STRICT",
    /^6 spec\.mtls\.mod: is not a known field; did you mean mode\?$/,
  ],
  ["VAL-2 at the top", "spce: {}", /^4 spce: is not a known field; did you mean spec\?$/],
  ["PA-1 no targetRefs", "spec: {targetRefs: []}", /^4 spec\.targetRefs: is not a known field$/],
  ["wrong type", "spec: {mtls: STRICT}", /^4 spec\.mtls: is "STRICT"; expected a map$/],
  ["wrong type", "spec: [1]", /^4 spec: is a list; expected a map$/],
  [
    "VAL-10",
    "spec:\n  portLevelMtls: {80: {mode: STRICT}}",
    /^5 spec\.portLevelMtls: needs a selector/,
  ],
  [
    "VAL-10 empty selector",
    "spec:\n  selector: {matchLabels: {}}\n  portLevelMtls: {80: {}}",
    /^6 spec\.portLevelMtls: needs a selector/,
  ],
  [
    "VAL-11",
    "spec: {selector: {matchLabels: {a: b}}, portLevelMtls: {}}",
    /^4 spec\.portLevelMtls: must have at least one port/,
  ],
  ...["0", "65536", "http", "080", "-1"].map((port): [string, string, RegExp] => [
    "VAL-12",
    `spec:\n  selector: {matchLabels: {a: b}}\n  portLevelMtls:\n    '${port}': {mode: STRICT}`,
    new RegExp(`^7 spec\\.portLevelMtls\\.${port}: is not a port`),
  ]),
  [
    "VAL-12 one port twice",
    "spec: {selector: {matchLabels: {a: b}}, portLevelMtls: {80: {}, '80': {}}}",
    /^4 : "80" is given twice$/,
  ],
  [
    "VAL-3 wildcard in a value",
    "spec:\n  selector:\n    matchLabels:\n      app: api-*",
    /^7 spec\.selector\.matchLabels\.app: "api-\*" has a wildcard/,
  ],
  [
    "VAL-3 wildcard in a key",
    "spec: {selector: {matchLabels: {'a*': b}}}",
    /^4 spec\.selector\.matchLabels\["a\*"\]: has a wildcard/,
  ],
  [
    "VAL-3 empty key",
    "spec: {selector: {matchLabels: {'': b}}}",
    /^4 spec\.selector\.matchLabels\[""\]: must not be an empty key/,
  ],
  [
    "only matchLabels",
    "spec: {selector: {matchExpressions: []}}",
    /^4 spec\.selector\.matchExpressions: is not a known field; labels stand under matchLabels$/,
  ],
  [
    "label that is no text",
    "spec: {selector: {matchLabels: {app: 8}}}",
    /^4 .*\.app: is the number 8; expected text: write "8"$/,
  ],
];
for (const [rule, spec, issue] of invalid) {
  test(`${rule}: ${JSON.stringify(spec)} is refused`, () => {
    const found = issues(spec);
    assert.equal(found.length, 1, found.join("\n"));
    assert.match(found[0] ?? "", issue);
    assert.deepEqual(parse(spec).resources, []);
  });
}

test("VAL-4: a selector without labels is told", () => {
  const { notices, resources } = parse("spec:\n  selector: {}");
  assert.equal(resources.length, 1);
  assert.deepEqual(notices, [
    {
      source: { file: "mesh.yaml", line: 5 },
      path: "spec.selector",
      message: "has no labels, so it selects every workload in scope",
      level: "webhook",
    },
  ]);
});

test("VAL-1: v1beta1 is the same", () => {
  const text = HEAD.replace("/v1\n", "/v1beta1\n");
  assert.equal(
    parseResources(text, "f").resources[0]?.meta.apiVersion,
    "security.istio.io/v1beta1",
  );
});
