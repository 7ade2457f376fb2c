/**
 * A terminal for a command. Node cannot open one; `script` of util-linux does, and takes what it is told by pipe for what
 * is typed. It runs where the command does, since a shell wants to be the first of its terminal's session.
 */
import { spawn } from "node:child_process";
import { readlink } from "node:fs/promises";
import { withDescendants } from "../../processes/descendants.ts";
import { findProgram } from "../../processes/find-program.ts";
import type { TerminalSize } from "./exec-client.ts";

type Command = readonly [string, ...string[]];

export const NO_TERMINAL =
  "no terminal: the program script, of util-linux, is not installed where the mesh runs; the command runs without one";

/**
 * @param shell as the command is to see it in `SHELL`
 * @returns undefined where no terminal can be had
 */
export async function withTerminal(
  command: Command,
  { size, shell }: { readonly size: TerminalSize | undefined; readonly shell: string | undefined },
): Promise<Command | undefined> {
  if (process.platform !== "linux") return undefined;
  const path = process.env["PATH"] ?? "";
  const script = await findProgram("script", { path, workingDirectory: "/" });
  if (script === undefined) return undefined;
  const sized = size === undefined ? "" : `stty rows ${size.rows} cols ${size.columns}; `;
  const restored = shell === undefined ? ["-u", "SHELL"] : [`SHELL=${shell}`];
  const inner = ["env", ...restored, "TERM=xterm", ...command].map(quoted).join(" ");
  const parameters = ["-q", "-e", "-f", "-E", "always", "-c", `${sized}exec ${inner}`, "/dev/null"];
  return ["/usr/bin/env", "SHELL=/bin/sh", script, ...parameters];
}

/** @param outer process id of what the command was started as */
export async function resizeTerminal(
  outer: number,
  { rows, columns }: TerminalSize,
): Promise<void> {
  const terminal = await terminalOf(outer);
  if (terminal === undefined) return;
  const stty = spawn("stty", ["-F", terminal, "rows", `${rows}`, "cols", `${columns}`], {
    stdio: "ignore",
  });
  stty.on("error", () => {}); // it stays as it is
}

/** As the machine sees it, wherever the command is shut in. */
async function terminalOf(outer: number): Promise<string | undefined> {
  for (const processId of await withDescendants(outer)) {
    const input = `/proc/${processId}/fd/0`;
    const target = await readlink(input).catch(() => "");
    if (/^\/dev\/(?:pts\/\d+|console)$/.test(target)) return input;
  }
  return undefined;
}

/** For a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
