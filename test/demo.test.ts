/** The main job, as `npm start` runs it: green as it is, red when any part that it shows is broken for real. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";

async function runDemo(broken?: string): Promise<{ code: number | null; text: string }> {
  const data = await mkdtemp(join(tmpdir(), "hauberk-"));
  const parameters = ["--import", "tsx", "src/cli/main.ts", "demo", "--data", data];
  const environment = broken === undefined ? {} : { HAUBERK_DEMO_BREAK: broken };
  const child = spawn(process.execPath, parameters, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => {
      text += part.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  await rm(data, { recursive: true, force: true });
  return { code, text };
}

describe("the demo", { concurrency: 3 }, () => {
  test("every row comes out as expected", async () => {
    const { code, text } = await runDemo();
    assert.equal(code, 0, text);
    assert.match(text, /All 8 rows came out as expected/);
    assert.doesNotMatch(text, /SURPRISE/);
  });

  const broken: [part: string, surprise: RegExp][] = [
    ["authorization", /reason: expected matched-deny, got matched-allow/],
    ["tls", /reason: expected plaintext-refused/],
    ["identity", /caller's identity: expected .*sa\/frontend, got .*sa\/database/],
    ["attribution", /no log line of a sidecar is about this call/],
  ];
  for (const [part, surprise] of broken) {
    test(`with ${part} broken the demo fails`, async () => {
      const { code, text } = await runDemo(part);
      assert.equal(code, 1, text);
      assert.match(text, surprise);
    });
  }
});
