import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { validateCommand } from "./validate.ts";

const GOOD = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
`;
const FAULTY = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: bank, namespace: shop}
spec:
  hosts: ["*"]
  resolutoin: DNS
`;
const WARNED = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: empty, namespace: shop}
spec:
  selector: {}
`;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-validate-"));
  await writeFile(join(folder, "good.yaml"), GOOD);
  await writeFile(join(folder, "faulty.yaml"), `${GOOD}---\n${FAULTY}`);
  await writeFile(join(folder, "warned.yaml"), WARNED);
  await writeFile(join(folder, "empty.yaml"), "# nothing yet\n");
});
after(() => rm(folder, { recursive: true }));

async function validate(
  names: readonly string[],
  options: Parameters<typeof validateCommand>[1] = {},
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const paths = names.map((name) => (name === "-" ? name : join(folder, name)));
  const code = await validateCommand(paths, options, (line) => lines.push(line));
  return { code, lines: lines.map((line) => line.replaceAll(`${folder}/`, "")) };
}

test("what is good is counted", async () => {
  assert.deepEqual(await validate(["good.yaml"]), { code: 0, lines: ["1 checked, all good"] });
});

test("faults are told with file and line, each once", async () => {
  const { code, lines } = await validate(["faulty.yaml"]);
  assert.equal(code, 1);
  assert.equal(lines[0], "ServiceEntry shop/bank:");
  assert.match(lines[1] ?? "", /^ {2}faulty\.yaml:10: error: spec\.hosts\[0\] .*\*/);
  assert.equal(
    lines[2],
    "  faulty.yaml:11: error: spec.resolutoin is not a known field; did you mean resolution?",
  );
  assert.ok(
    lines.slice(3, -1).every((line) => line.includes(": note: ")),
    lines.join("\n"),
  );
  assert.equal(lines.at(-1), "2 checked, 1 faulty");
});

test("VAL-4: a warning of Istio's is no fault", async () => {
  const { code, lines } = await validate(["warned.yaml"]);
  assert.equal(code, 0);
  assert.match(lines.join("\n"), /warned\.yaml:5: warning: spec\.selector /);
});

test("a folder is all its files", async () => {
  const { code, lines } = await validate([""]);
  assert.equal(code, 1);
  assert.equal(lines.at(-1), "4 checked, 2 faulty");
});

test("standard input", async () => {
  const input = (async function* () {
    yield Buffer.from(FAULTY);
  })();
  const { code, lines } = await validate(["-"], { input });
  assert.equal(code, 1);
  assert.match(lines[1] ?? "", /^ {2}<stdin>:5: error: spec\.hosts\[0\]/);
});

test("nothing to check is not good", async () => {
  assert.deepEqual(await validate(["empty.yaml"]), { code: 1, lines: ["nothing to check"] });
});

const LIST = 'apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ""}\n';
for (const istio of [false, true]) {
  test(`an empty list of kubectl's is nothing to check${istio ? " for Istio" : ""}`, async () => {
    const empty = await validateText(`${LIST}items: []\n`, { istio });
    assert.deepEqual(empty, { code: 1, lines: ["nothing to check"] });
    const item = `items:\n- ${GOOD.trimEnd().replaceAll("\n", "\n  ")}\n`;
    assert.deepEqual(await validateText(LIST + item, { istio }), {
      code: 0,
      lines: ["1 checked, all good"],
    });
    const faulty = await validateText(`${LIST}items: 1\n`, { istio: false });
    assert.equal(faulty.code, 1);
    assert.match(faulty.lines.join("\n"), /items/);
  });
}

test("a path that cannot be read is told, and the others are checked", async () => {
  const { code, lines } = await validate(["missing.yaml", "good.yaml"]);
  assert.equal(code, 2);
  assert.match(lines[0] ?? "", /missing\.yaml: cannot be read: /);
  assert.equal(lines.at(-1), "1 checked, all good");
});

test("in a folder a pipe is told at once; what is no text is a fault with its line", async () => {
  const inside = await mkdtemp(join(folder, "strange-"));
  execFileSync("mkfifo", [join(inside, "pipe.yaml")]);
  await symlink("/dev/zero", join(inside, "zero.yaml"));
  await writeFile(join(inside, "latin.yaml"), Buffer.from(`${GOOD}# \xe4`, "latin1"));
  await writeFile(join(inside, "good.yaml"), GOOD);
  const { code, lines } = await validate([inside.slice(folder.length + 1)]);
  assert.equal(code, 2);
  assert.deepEqual(
    lines.map((line) => line.replace(/^strange-\w+\//, "")),
    [
      "pipe.yaml: cannot be read: is no regular file",
      "zero.yaml: cannot be read: is no regular file",
      "latin.yaml:5: error: is no UTF-8; expected text in UTF-8",
      "2 checked, 1 faulty",
    ],
  );
});

test("as JSON every fault names the gate that found it", async () => {
  const { code, lines } = await validate(["faulty.yaml"], { json: true });
  const { documents } = JSON.parse(lines.join("\n"));
  assert.equal(code, 1);
  assert.deepEqual(
    documents.map(({ kind, issues }: { kind: string; issues: unknown[] }) => [
      kind,
      issues.length > 0,
    ]),
    [
      ["PeerAuthentication", false],
      ["ServiceEntry", true],
    ],
  );
  const levels = documents[1].issues.map(({ level }: { level: string }) => level);
  assert.ok(levels.includes("schema") && levels.includes("webhook"), levels.join(", "));
});

const policy = (name: string, spec: string): string =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: shop}\nspec: ${spec}\n`;
const networking = (kind: string): string =>
  `apiVersion: networking.istio.io/${kind === "EnvoyFilter" ? "v1alpha3" : "v1"}\nkind: ${kind}\nmetadata: {name: a, namespace: shop}\n`;

async function validateText(
  text: string,
  options: { readonly istio?: boolean; readonly json?: boolean } = {},
): Promise<{ code: number; lines: string[] }> {
  const input = (async function* () {
    yield Buffer.from(text);
  })();
  return validate(["-"], { ...options, input });
}

const refusedByUp: [kind: string, text: string][] = [
  ["Sidecar", `${networking("Sidecar")}spec: {egress: [{hosts: ["./*"]}]}\n`],
  ["EnvoyFilter", `${networking("EnvoyFilter")}spec: {}\n`],
  [
    "WasmPlugin",
    "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a, namespace: shop}\nspec: {url: oci://a/b}\n",
  ],
];
for (const [kind, text] of refusedByUp) {
  test(`a ${kind} is good, and a note says that \`up\` refuses it`, async () => {
    const { code, lines } = await validateText(text);
    assert.equal(code, 0, lines.join("\n"));
    assert.match(lines.join("\n"), /<stdin>:1: note: `up` refuses this: \S+ shop\/\S+ cannot be/);
  });
}

test("what is given twice is a fault, wherever it stands", async () => {
  const { code, lines } = await validate(["good.yaml", "faulty.yaml"]);
  assert.equal(code, 1);
  assert.match(
    lines.join("\n"),
    /faulty\.yaml:1: error: metadata\.name PeerAuthentication shop\/default is already defined at good\.yaml:1/,
  );
});

test("a file that is named twice is read once", async () => {
  assert.equal((await validate(["good.yaml", "good.yaml"])).lines.at(-1), "1 checked, all good");
});

test("every item of a List is a document of its own", async () => {
  const items = [policy("a", "{}"), policy("b", "{rules: [{form: []}]}")].map(
    (item) => `- ${item.trimEnd().replaceAll("\n", "\n  ")}`,
  );
  const { code, lines } = await validateText(
    `apiVersion: v1\nkind: List\nmetadata: {resourceVersion: ""}\nitems:\n${items.join("\n")}\n`,
  );
  assert.equal(code, 1);
  assert.deepEqual(lines, [
    "AuthorizationPolicy shop/b:",
    "  <stdin>:12: error: items[1].spec.rules[0].form is not a known field; did you mean from?",
    "2 checked, 1 faulty",
  ]);
});

const asIstio: [what: string, text: string, code: number, lines: RegExp[]][] = [
  [
    "what only this mesh refuses is a note",
    policy("a", "{rules: [{when: []}]}"),
    0,
    [
      /^AuthorizationPolicy shop\/a:$/,
      /: note: spec\.rules\[0\]\.when must have/,
      /^1 checked, all/,
    ],
  ],
  [
    "what is not carried here is a note",
    `${networking("ServiceEntry")}spec: {hosts: ["*.a.b"], resolution: DYNAMIC_DNS, ports: [{name: http, number: 80, protocol: HTTP}]}\n`,
    0,
    [/^ServiceEntry/, /: note: .*resolution.*not supported yet/, /^1 checked, all good$/],
  ],
  [
    "kinds of others",
    "apiVersion: v1\nkind: Pod\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: GRPCRoute\n---\napiVersion: cert-manager.io/v1\nkind: Certificate\n",
    0,
    [
      /:2: note: kind not supported yet: Pod$/,
      /: note: .*GRPCRoute/,
      /: note: kind "Certificate" is not a known kind$/,
      /^none checked; 3 of kinds that Istio's gates do not know$/,
    ],
  ],
  [
    "a gate's fault",
    policy("a", "{rules: [{form: []}]}"),
    1,
    [/^Auth/, /: error: spec\.rules\[0\]\.form/, /^1 checked, 1 faulty$/],
  ],
  [
    "a misspelt kind of Istio's",
    policy("a", "{}").replace("Policy", "Polcy"),
    1,
    [/^Auth/, /: error: kind .*did you mean AuthorizationPolicy\?$/, /1 faulty/],
  ],
  [
    "a version that is not served",
    policy("a", "{}").replace("/v1", "/v2"),
    1,
    [/^Auth/, /: error: apiVersion "security\.istio\.io\/v2" is not/, /1 faulty/],
  ],
  [
    "no name",
    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {namespace: shop}\n",
    1,
    [/: error: metadata\.name is missing$/, /1 faulty/],
  ],
  ["broken YAML", "a: [", 1, [/:1: error: is not valid YAML/, /^1 checked, 1 faulty$/]],
];
for (const [what, text, code, wanted] of asIstio) {
  test(`--istio: ${what}`, async () => {
    const told = await validateText(text, { istio: true });
    assert.equal(told.code, code, told.lines.join("\n"));
    assert.equal(told.lines.length, wanted.length, told.lines.join("\n"));
    for (const [index, pattern] of wanted.entries()) assert.match(told.lines[index] ?? "", pattern);
    if (code === 0) assert.equal((await validateText(text)).code, 1, "ours without --istio");
  });
}

test("as JSON nothing is told of what was read", async () => {
  const { lines } = await validateText(GOOD, { json: true });
  const { documents } = JSON.parse(lines.join("\n"));
  assert.deepEqual(Object.keys(documents[0]).toSorted(), [
    "gates",
    "issues",
    "kind",
    "name",
    "namespace",
    "notices",
    "source",
  ]);
});

const CUSTOM = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ask, namespace: shop}
spec:
  action: CUSTOM
  provider: {name: opa}
  rules: [{}]
`;
const PROVIDER =
  "extensionProviders: [{name: opa, envoyExtAuthzGrpc: {service: opa.authz.svc.cluster.local, port: 1}}]\n";
const AUTHORIZER = `apiVersion: v1
kind: Service
metadata: {name: opa, namespace: authz}
spec: {ports: [{port: 1}]}
`;
/** Istio's own part may be elsewhere. */
const OWN_SECTION = "hauberk: {jwks: {allowedAddresses: [127.0.0.1]}}\n";

test("AP-120, EA-30: policies that refuse since nobody can be asked are told of as `up` tells, of all files together", async () => {
  await writeFile(join(folder, "custom.yaml"), `${GOOD}---\n${CUSTOM}`);
  await writeFile(join(folder, "provider.yaml"), `${OWN_SECTION}---\n${PROVIDER}`);
  await writeFile(join(folder, "authorizer.yaml"), AUTHORIZER);
  const refused = "what this policy matches is refused";
  assert.deepEqual(await validate(["custom.yaml"]), {
    code: 0,
    lines: [
      "AuthorizationPolicy shop/ask:",
      `  custom.yaml:11: note: spec.provider.name names the authorizer "opa", and extensionProviders of the mesh configuration does not define it (no authorizer is defined): ${refused}`,
      "2 checked, all good",
    ],
  });
  const defined = await validate(["custom.yaml", "provider.yaml"]);
  assert.equal(
    defined.lines[1],
    `  custom.yaml:11: note: spec.provider.name names the authorizer "opa" (provider.yaml:3), and its service opa.authz.svc.cluster.local is none of the mesh: ${refused}`,
  );
  const whole = await validate(["custom.yaml", "provider.yaml", "authorizer.yaml"]);
  assert.deepEqual(whole.lines, ["5 checked, all good"]);
});

test("nothing is told of authorizers where a file is faulty, or Istio's gates alone are asked", async () => {
  await writeFile(join(folder, "custom.yaml"), CUSTOM);
  const { lines } = await validate(["custom.yaml", "faulty.yaml"]);
  assert.doesNotMatch(lines.join("\n"), /authorizer/);
  const istio = await validate(["custom.yaml"], { istio: true });
  assert.deepEqual(istio.lines, ["1 checked, all good"]);
});
