import assert from "node:assert/strict";
import { test } from "node:test";
import { buildProgram } from "./program.ts";

const LINES: readonly (readonly [args: readonly string[], told: RegExp])[] = [
  [["up", "mesh"], /'-f, --file <path>' not specified\ndid you mean `hauberk up -f mesh`\?\n/],
  [["up"], /'-f, --file <path>' not specified\n\(see/],
];

for (const [args, told] of LINES) {
  test(`hauberk ${args.join(" ")} says what is missed`, async () => {
    const program = buildProgram();
    const said: string[] = [];
    const up = program.commands.find((one) => one.name() === "up") ?? assert.fail("no up");
    up.configureOutput({ writeErr: (part) => void said.push(part) });
    await assert.rejects(program.parseAsync(args, { from: "user" }));
    assert.match(said.join(""), told);
  });
}
