import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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
  assert.equal(lines.at(-1), "4 checked, 1 faulty");
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

test("a path that cannot be read is told, and the others are checked", async () => {
  const { code, lines } = await validate(["missing.yaml", "good.yaml"]);
  assert.equal(code, 2);
  assert.match(lines[0] ?? "", /missing\.yaml: cannot be read: /);
  assert.equal(lines.at(-1), "1 checked, all good");
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
