/** The main job, as `npm start` runs it: green as it is, red when any part that it shows is broken for real. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { productCommand } from "./kit/product-command.ts";

interface DemoRun {
  readonly parameters?: readonly string[];
  readonly broken?: string;
}

async function runDemo({
  parameters = [],
  broken,
}: DemoRun): Promise<{ code: number | null; text: string }> {
  const data = await mkdtemp(join(tmpdir(), "hauberk-"));
  const command = [
    ...productCommand(),
    "demo",
    "--network",
    "loopback",
    "--data",
    data,
    ...parameters,
  ];
  const environment = broken === undefined ? {} : { HAUBERK_DEMO_BREAK: broken };
  const child = spawn(process.execPath, command, {
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

const SMALL = ["--example", "first-verdict"];

describe("the demo", { concurrency: 2 }, () => {
  test("every row of the main example comes out as expected", async () => {
    const { code, text } = await runDemo({});
    assert.equal(code, 0, text);
    assert.match(text, /All 30 rows came out as expected/);
    assert.doesNotMatch(text, /SURPRISE/);
    assert.equal(text.match(/^\d+\. /gm)?.length, 30);
    assert.match(text, /^ {3}time \d+\.\d s since the first line$/m);
    assert.match(text, /^istio-ingress\/ingress-0 .* ns\/istio-ingress\/sa\/ingress +PERMISSIVE$/m);
    assert.match(text, /^production\/api-0 .* ns\/production\/sa\/api +STRICT$/m);
  });

  test("every row of the small example comes out as expected", async () => {
    const { code, text } = await runDemo({ parameters: SMALL });
    assert.equal(code, 0, text);
    assert.match(text, /All 8 rows came out as expected/);
    assert.doesNotMatch(text, /SURPRISE/);
  });

  const broken: [part: string, surprise: RegExp][] = [
    ["authorization", /reason: expected matched-deny, got matched-allow/],
    ["identity", /caller's identity: expected .*sa\/frontend, got .*sa\/database/],
    ["tls", /reason: expected plaintext-refused/],
    ["attribution", /no log line of a sidecar is about this call/],
  ];
  for (const [part, surprise] of broken) {
    test(`with ${part} broken the demo fails`, async () => {
      const { code, text } = await runDemo({ parameters: SMALL, broken: part });
      assert.equal(code, 1, text);
      assert.match(text, surprise);
      assert.match(text, /rows came out otherwise than expected/);
    });
  }

  test("what cannot be broken, and what is no example, is said", async () => {
    const [part, example] = await Promise.all([
      runDemo({ broken: "luck" }),
      runDemo({ parameters: ["--example", "nowhere"] }),
    ]);
    assert.deepEqual([part.code, example.code], [1, 1]);
    assert.match(part.text, /attribution, authorization, identity, tls.*HAUBERK_UNKNOWN_EXAMPLE/);
    assert.match(example.text, /production, first-verdict.*HAUBERK_UNKNOWN_EXAMPLE/);
  });
});
