/** `examples/egress` as it stands: a program that knows nothing of TLS, and a server outside that takes nothing else. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually } from "../kit/eventually.ts";
import { type RunningMesh, runMesh } from "../kit/running-mesh.ts";

const folder = await mkdtemp(join(tmpdir(), "hauberk-egress-"));
const RULES = join(folder, "payments.yaml");
let payments: ChildProcess;
let mesh: RunningMesh;
let rules: string;

before(async () => {
  await cp("examples/egress", folder, { recursive: true });
  execFileSync("sh", [join(folder, "certificates.sh")]);
  payments = spawn(process.execPath, [join(folder, "payments.mjs")], { stdio: "inherit" });
  rules = await readFile(RULES, "utf8");
  mesh = await runMesh([folder]);
});

after(async () => {
  await mesh?.stop();
  payments.kill();
  await rm(folder, { recursive: true });
});

async function lastAnswer(): Promise<string> {
  const said = await mesh.read("logs/shop/shop-0/shop.log");
  return said.trimEnd().split("\n").at(-1) ?? "";
}

function answered(answer: RegExp): Promise<unknown> {
  return eventually(`${answer}`, async () => answer.test(await lastAnswer()), { withinMs: 15_000 });
}

/** Lines are gathered for a moment. */
function logged(words: RegExp): Promise<unknown> {
  return eventually(`${words}`, async () =>
    words.test(await mesh.read("logs/shop/shop-0/access.log")),
  );
}

test("the shop pays by mutual TLS, with the certificate of the Secret", async () => {
  await answered(/^200 paid by DNS:shop\.example\.com$/);
});

test("its key is in no file of the mesh's, and in no log", async () => {
  const key = (await readFile(join(folder, "shop.example.com.key"), "utf8")).split("\n")[1] ?? "";
  assert.ok(key.length > 40);
  const found = execFileSync("sh", ["-c", `grep -rlF '${key}' '${mesh.data}' || true`]);
  assert.equal(found.toString(), "");
});

test("without the role the key is taken away, and calls fail: they never go in plaintext", async () => {
  await writeFile(RULES, rules.replace("verbs: [list]", "verbs: [get]"));
  await answered(/^503 /);
  await logged(/service account shop\/shop may not list Secrets/);
  await writeFile(RULES, rules);
  await answered(/^200 paid by/);
});

test("a server of another name is believed no more", async () => {
  await writeFile(RULES, rules.replaceAll("payments.example.com", "other.example.com"));
  await answered(/^502 .*is no service and port of the mesh/);
  const misled = rules.replace(
    "credentialName: payments",
    "credentialName: payments, subjectAltNames: [other.example.com]",
  );
  await writeFile(RULES, misled);
  await answered(/^503 /);
  await logged(/the certificate is of DNS:payments\.example\.com, and not of other\.example\.com/);
});
