/**
 * Keeps the arrows of ARCHITECTURE.md true: a room imports only the rooms listed for it, no file takes part in an
 * import cycle, and each third-party package has one door.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  api: ["runtime"],
  wire: ["runtime"],
  http: ["runtime"],
  identity: ["jwt", "wire", "runtime"],
  policy: ["api", "identity", "runtime"],
  jwt: ["api", "runtime"],
  ca: ["identity", "jwt", "wire", "runtime"],
  telemetry: ["policy", "identity", "api", "runtime"],
  proxy: ["http", "policy", "jwt", "telemetry", "identity", "api", "wire", "runtime"],
  envoy: ["policy", "identity", "api", "wire", "runtime"],
  "envoy-agent": ["envoy", "proxy", "policy", "telemetry", "identity", "wire", "runtime"],
  analysis: ["policy", "telemetry", "identity", "api", "runtime"],
  "rate-limit-service": ["policy", "identity", "api", "wire", "runtime"],
  control: [
    "rate-limit-service",
    "envoy",
    "ca",
    "jwt",
    "policy",
    "telemetry",
    "identity",
    "api",
    "wire",
    "runtime",
  ],
  local: ["control", "ca", "policy", "api", "identity", "wire", "runtime"],
  kubernetes: ["control", "ca", "api", "identity", "wire", "runtime"],
  dashboard: ["analysis", "telemetry", "policy", "api", "runtime"],
};

/** The only places that may name a package: a room, or a file, or a few that each reach one part of the kernel. `cli` may not, except for its own. */
const DOORS: Readonly<Record<string, string | readonly string[]>> = {
  yaml: ["api/yaml-documents.ts", "api/yaml-composition.ts", "api/yaml-text.ts"],
  "@bufbuild/cel": ["api/schema/cel-rule.ts", "api/cel-expression.ts"],
  "@bufbuild/protobuf": "wire/",
  "@grpc/grpc-js": "wire/",
  jose: "jwt/",
  "@peculiar/asn1-csr": "identity/",
  "@peculiar/asn1-ecc": "identity/",
  "@peculiar/asn1-schema": "identity/",
  "@peculiar/asn1-x509": "identity/",
  "prom-client": "telemetry/",
  ws: "local/pod-streams/web-socket.",
  commander: "cli/",
  "dns-packet": "proxy/dns-message",
  koffi: [
    "proxy/socket-diagnosis.ts",
    "runtime/linux-socket.ts",
    "local/network/network-namespace-socket.ts",
  ],
};

/** Files outside any room: the public surface. */
const ROOMLESS = ["index.ts"];

/** Files that touch the world from a pure room would have to import one of these. */
const PURE_ROOMS = ["policy", "analysis"];
const WORLDLY =
  /^node:(fs|net|tls|http|https|http2|dgram|child_process|worker_threads|cluster|os|timers)/;

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.startsWith("wire/gen/"))
  .sort();

const isTest = (file: string): boolean => file.endsWith(".test.ts");
const roomOf = (file: string): string => file.split("/")[0] ?? "";

/** Every specifier a file names: static, type-only, re-exported, side-effect and dynamic. */
export function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
  const patterns = [
    /^\s*(?:import|export)\b[^;]*?\sfrom\s+["']([^"']+)["']/gm,
    /\bimport\s*["']([^"']+)["']/g,
    /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g,
    /\brequire\s*\(\s*["'`]([^"'`]+)["'`]/g,
  ];
  return patterns.flatMap((pattern) => [...code.matchAll(pattern)].map(([, name = ""]) => name));
}

const imports = new Map(
  sources.map((file) => [file, importsOf(readFileSync(`src/${file}`, "utf8"))] as const),
);
const relativeTargets = (file: string): string[] =>
  (imports.get(file) ?? [])
    .filter((name) => name.startsWith("."))
    .map((name) => join(dirname(file), name));

test("there are sources to look at", () => assert.ok(sources.length > 30));

for (const file of sources) {
  test(`${file} stays within the arrows`, () => assert.deepEqual(straysOf(file), []));
}

function straysOf(file: string): string[] {
  const room = roomOf(file);
  const strays = relativeTargets(file).filter((target) => !mayReach(file, target));
  for (const name of imports.get(file) ?? []) {
    if (name.startsWith(".") || name.startsWith("node:")) continue;
    const door = DOORS[packageOf(name)];
    if (isTest(file) && door === undefined) continue;
    if (door === undefined || ![door].flat().some((one) => file.startsWith(one))) strays.push(name);
  }
  if (PURE_ROOMS.includes(room) && !isTest(file)) {
    strays.push(...(imports.get(file) ?? []).filter((name) => WORLDLY.test(name)));
  }
  return strays;
}

function mayReach(file: string, target: string): boolean {
  const [from, to] = [roomOf(file), roomOf(target)];
  if (from === to || ROOMLESS.includes(file)) return true;
  if (isTest(file) && target.startsWith("../test/kit/")) return true;
  if (from === "cli") return to in MAY_IMPORT;
  // A test may put rooms together that the code itself must keep apart.
  if (isTest(file) && to in MAY_IMPORT) return true;
  return MAY_IMPORT[from]?.includes(to) ?? false;
}

/** `@scope/name/sub` and `name/sub` without what follows the package. */
function packageOf(name: string): string {
  const parts = name.split("/");
  return parts.slice(0, name.startsWith("@") ? 2 : 1).join("/");
}

test("no file takes part in an import cycle by value", () => {
  assert.deepEqual(findCycle(), []);
});

/** There is one sidecar a pod, and one gateway a mesh: what only readers of resources need would cost each of them. */
const FREE_OF_READERS = [
  "cli/commands/sidecar.ts",
  "cli/commands/envoy-agent.ts",
  "cli/commands/gateway.ts",
];
const OF_READERS = ["yaml", "@bufbuild/cel"];

for (const entry of FREE_OF_READERS) {
  test(`${entry} does not load ${OF_READERS.join(" or ")}`, () => {
    const reached = new Set([entry]);
    for (const file of reached) for (const target of valueTargets(file)) reached.add(target);
    assert.ok(reached.size > 10);
    const loading = [...reached].filter((file) =>
      imports.get(file)?.some((name) => OF_READERS.includes(packageOf(name))),
    );
    assert.deepEqual(loading, []);
  });
}

/** Type-only imports vanish when compiled; what is left must be a tree of dependencies. */
function findCycle(): string[] {
  const state = new Map<string, "open" | "done">();
  const valueImports = new Map(sources.map((file) => [file, valueTargets(file)] as const));
  const visit = (file: string, path: readonly string[]): string[] => {
    if (state.get(file) === "done") return [];
    if (state.get(file) === "open") return [...path.slice(path.indexOf(file)), file];
    state.set(file, "open");
    for (const target of valueImports.get(file) ?? []) {
      const cycle = visit(target, [...path, file]);
      if (cycle.length > 0) return cycle;
    }
    state.set(file, "done");
    return [];
  };
  for (const file of sources) {
    const cycle = visit(file, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

function valueTargets(file: string): string[] {
  const text = readFileSync(`src/${file}`, "utf8").replace(
    /\b(import|export)\s+type\b[^;]*?\bfrom\s*["'][^"']+["']/g,
    "",
  );
  return importsOf(text)
    .filter((name) => name.startsWith("."))
    .map((name) => join(dirname(file), name))
    .filter((target) => imports.has(target));
}

const planted: [what: string, text: string, expected: string[]][] = [
  ["a static import", 'import { a } from "../policy/a.ts";', ["../policy/a.ts"]],
  ["a type import", 'import type { A } from "../policy/a.ts";', ["../policy/a.ts"]],
  ["a re-export", 'export * from "../policy/a.ts";', ["../policy/a.ts"]],
  ["a side effect", 'import "../policy/a.ts";', ["../policy/a.ts"]],
  ["a dynamic import", 'await import("../policy/a.ts");', ["../policy/a.ts"]],
  ["a multi-line import", 'import {\n  a,\n  b,\n} from "../policy/a.ts";', ["../policy/a.ts"]],
  ["a text that only looks like one", 'export const a = ["from", "../policy/a.ts"];', []],
  ["a comment", '// import "../policy/a.ts"', []],
];
for (const [what, text, expected] of planted) {
  test(`the reader of imports sees ${what}`, () => assert.deepEqual(importsOf(text), expected));
}

test("no test has a hook for each test of its whole process", () => {
  // Many files run in one process: such a hook outside of `describe` runs for the tests of them all.
  const strays = [...sources.filter(isTest).map((file) => join("src", file))].filter((file) =>
    /^(?:before|after)Each\(/m.test(readFileSync(file, "utf8")),
  );
  assert.deepEqual(strays, []);
});
