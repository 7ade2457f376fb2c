import assert from "node:assert/strict";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import type { ExecClient } from "./exec-client.ts";
import type { ExecWish } from "./exec-wish.ts";
import { runCommand } from "./run-command.ts";

/** What was said of its first process, in turn. */
type Told = (readonly ["admitted" | "forgotten", processId: number])[];

async function run(
  command: ExecWish["command"],
): Promise<{ readonly code: number; readonly output: string; readonly told: Told }> {
  const output = new PassThrough();
  const client: ExecClient = {
    input: new PassThrough().end(),
    output,
    errors: new PassThrough().resume(),
    onResize: () => undefined,
    finish: async () => undefined,
    gone: new AbortController().signal,
  };
  const wish = { command, stdin: false, stdout: true, stderr: true, tty: false };
  const told: Told = [];
  const code = await runCommand(
    (words) => ({
      command: words,
      environment: { PATH: process.env["PATH"] ?? "" },
      workingDirectory: "/",
    }),
    {
      client,
      wish,
      ended: new AbortController().signal,
      admit: (processId) => {
        told.push(["admitted", processId]);
        return () => told.push(["forgotten", processId]);
      },
    },
  );
  output.end();
  const text: Buffer[] = [];
  output.on("data", (part: Buffer) => text.push(part));
  await once(output, "end");
  return { code, output: Buffer.concat(text).toString("utf8"), told };
}

test("a command is admitted by its own process, and forgotten when that has ended", async () => {
  const { code, output, told } = await run(["sh", "-c", "echo $$; exit 3"]);
  assert.equal(code, 3);
  const own = Number(output);
  assert.deepEqual(told, [
    ["admitted", own],
    ["forgotten", own],
  ]);
});

test("what cannot be run is forgotten too", async () => {
  const { code, told } = await run(["/nowhere/to/be/found"]);
  assert.equal(code, 127);
  assert.deepEqual(
    told.map(([what]) => what),
    ["admitted", "forgotten"],
  );
});
