import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkedCommand } from "./checked-command.ts";

const folder = mkdtempSync(join(tmpdir(), "hauberk-exec-"));
after(() => rmSync(folder, { recursive: true }));
const plain = join(folder, "plain");
writeFileSync(plain, "no program", { mode: 0o644 });
const program = join(folder, "own program");
writeFileSync(program, '#!/bin/sh\nprintf "%s|" "$@"\nexit 4\n', { mode: 0o755 });

const commands: readonly [
  what: string,
  command: readonly [string, ...string[]],
  outcome: { readonly code: number; readonly output?: string; readonly errors?: string },
][] = [
  ["a program of PATH", ["own program", "a b", "", "$x"], { code: 4, output: "a b||$x|" }],
  ["a program by its path", [program, "-n"], { code: 4, output: "-n|" }],
  [
    "none of that name",
    ["no-such-program"],
    { code: 127, errors: 'exec: "no-such-program": executable file not found in $PATH\n' },
  ],
  [
    "what is a word of the shell alone",
    ["cd", "/"],
    { code: 127, errors: 'exec: "cd": executable file not found in $PATH\n' },
  ],
  [
    "a path to nothing",
    ["/no/such/program"],
    {
      code: 127,
      errors: 'exec: "/no/such/program": stat /no/such/program: no such file or directory\n',
    },
  ],
  [
    "a file that is no program",
    [plain],
    { code: 126, errors: `exec: "${plain}": permission denied\n` },
  ],
  ["a folder", [folder], { code: 126, errors: `exec: "${folder}": permission denied\n` }],
];

for (const [what, command, { code, output = "", errors = "" }] of commands)
  test(what, () => {
    const [first, ...parameters] = checkedCommand(command);
    const env = { PATH: `/nowhere:${folder}` };
    const { status, stdout, stderr } = spawnSync(first, parameters, { env, encoding: "utf8" });
    assert.deepEqual({ code: status, output: stdout, errors: stderr }, { code, output, errors });
  });
