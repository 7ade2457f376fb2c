import assert from "node:assert/strict";
import { test } from "node:test";
import { analyzeCommand } from "./analyze.ts";

async function analyze(path: string): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await analyzeCommand([path], {
    print: (line) => out.push(line),
    warn: (line) => err.push(line),
  });
  return { code, out, err };
}

test("without any authorizer there is nothing to ask OPA about", async () => {
  const { code, out, err } = await analyze("examples/first-verdict");
  assert.deepEqual([code, out, err], [0, ["nothing odd was found"], []]);
});

test("what could not be looked at is not said to be good", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    const { code, out, err } = await analyze("examples/seeds/13-opa.yaml");
    assert.deepEqual([code, out], [2, []]);
    assert.match(err.join("\n"), /opa-authorizer: its Rego was not looked at: there is no program/);
  } finally {
    process.env["PATH"] = path;
  }
  assert.equal((await analyze("no-such-folder")).code, 2);
});
