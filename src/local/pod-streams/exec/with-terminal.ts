/**
 * A terminal for a command. Node cannot open one; `script` of util-linux does, and takes what it is told by pipe for what
 * is typed.
 */
import { spawn } from "node:child_process";
import { readlink } from "node:fs/promises";
import type { EnclosedLaunch } from "../../pods/pod-container.ts";
import { childrenOf } from "../../processes/descendants.ts";
import { findProgram } from "../../processes/find-program.ts";
import type { TerminalSize } from "./exec-client.ts";

export const NO_TERMINAL =
  "no terminal: the program script, of util-linux, is not installed where the mesh runs; the command runs without one";

/** @returns undefined where no terminal can be had */
export async function withTerminal(
  launch: EnclosedLaunch,
  size: TerminalSize | undefined,
): Promise<EnclosedLaunch | undefined> {
  if (process.platform !== "linux") return undefined;
  const path = process.env["PATH"] ?? "";
  const script = await findProgram("script", { path, workingDirectory: "/" });
  if (script === undefined) return undefined;
  const sized = size === undefined ? "" : `stty rows ${size.rows} cols ${size.columns}; `;
  const { SHELL: shell, ...environment } = launch.environment;
  const restored = shell === undefined ? ["-u", "SHELL"] : [`SHELL=${shell}`];
  const command = ["env", ...restored, ...launch.command].map(quoted).join(" ");
  return {
    ...launch,
    command: [
      script,
      "-q",
      "-e",
      "-f",
      "-E",
      "always",
      "-c",
      `${sized}exec ${command}`,
      "/dev/null",
    ],
    environment: { ...environment, TERM: "xterm", SHELL: "/bin/sh" },
  };
}

/** @param outer process id of `script` */
export async function resizeTerminal(
  outer: number,
  { rows, columns }: TerminalSize,
): Promise<void> {
  const [inner] = (await childrenOf(outer)) ?? [];
  if (inner === undefined) return;
  const terminal = await readlink(`/proc/${inner}/fd/0`).catch(() => "");
  if (!/^\/dev\/pts\/\d+$/.test(terminal)) return;
  const stty = spawn("stty", ["-F", terminal, "rows", `${rows}`, "cols", `${columns}`], {
    stdio: "ignore",
  });
  stty.on("error", () => {}); // it stays as it is
}

/** For a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
