/** Runs a command for a client, and ends it with all that it started when the client is gone. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { finished } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { describeError } from "../../../runtime/hauberk-error.ts";
import type { EnclosedLaunch } from "../../pods/pod-container.ts";
import { withDescendants } from "../../processes/descendants.ts";
import { closedDescriptors } from "../../processes/inherited-descriptors.ts";
import { checkedCommand } from "./checked-command.ts";
import type { ExecClient, TerminalSize } from "./exec-client.ts";
import type { ExecWish } from "./exec-wish.ts";
import { NO_TERMINAL, resizeTerminal, withTerminal } from "./with-terminal.ts";

type Command = readonly [string, ...string[]];

/** A terminal's size comes right after the connection; a program should not see another one first. */
const SIZE_MS = 300;
/** Something that the command left behind may hold its outputs open. */
const LAST_OUTPUT_MS = 1_000;
/** Between asking to end and ending. */
const GRACE_MS = 1_000;

/** Not even what would say why. */
const NOT_RUNNABLE = 126;

/**
 * @param ended aborted when there is nothing left to run it in
 * @param admit called with its first process; what it returns, when that has ended
 * @returns its exit code, as a shell has it
 */
export async function runCommand(
  launch: (command: Command) => EnclosedLaunch,
  {
    client,
    wish,
    ended,
    admit,
  }: {
    readonly client: ExecClient;
    readonly wish: ExecWish;
    readonly ended: AbortSignal;
    readonly admit?: (processId: number) => () => void;
  },
): Promise<number> {
  const checked = checkedCommand(wish.command);
  const terminal = wish.tty ? await terminalFor(checked, { launch, client }) : undefined;
  const prepared = launch(terminal ?? checked);
  const [program, ...parameters] = prepared.command;
  const child = spawn(program, parameters, {
    cwd: prepared.workingDirectory,
    env: prepared.environment,
    stdio: [wish.stdin ? "pipe" : "ignore", "pipe", "pipe", ...closedDescriptors().slice(3)],
    detached: true,
  });
  const over = AbortSignal.any([client.gone, ended]);
  try {
    await once(child, "spawn");
  } catch (error) {
    client.errors.write(`exec: ${JSON.stringify(wish.command[0])}: ${describeError(error)}\n`);
    return NOT_RUNNABLE;
  }
  const endAll = (): void => void endWithDescendants(child);
  over.addEventListener("abort", endAll, { once: true });
  if (over.aborted) endAll();
  if (terminal !== undefined) client.onResize((size) => void resizeTerminal(child.pid ?? 0, size));
  const outputs = connectStreams(child, { client, wish });
  const forget = child.pid === undefined ? undefined : admit?.(child.pid);
  const [code, signal] = await once(child, "exit").finally(forget);
  await Promise.race([outputs, delay(LAST_OUTPUT_MS, undefined, { ref: false })]);
  over.removeEventListener("abort", endAll);
  killGroup(child.pid, "SIGKILL"); // it leaves nothing behind
  return exitCode(code, signal);
}

/** @returns undefined where it has to do without; the client has been told */
async function terminalFor(
  command: Command,
  {
    launch,
    client,
  }: { readonly launch: (command: Command) => EnclosedLaunch; readonly client: ExecClient },
): Promise<Command | undefined> {
  const first = new Promise<TerminalSize>((resolve) => client.onResize(resolve));
  const size = (await Promise.race([first, delay(SIZE_MS, undefined)])) ?? undefined;
  const shell = launch(command).environment["SHELL"];
  const terminal = await withTerminal(command, { size, shell });
  if (terminal === undefined) client.output.write(`${NO_TERMINAL}\r\n`);
  return terminal;
}

async function connectStreams(
  { stdin, stdout, stderr }: ChildProcess,
  { client, wish }: { readonly client: ExecClient; readonly wish: ExecWish },
): Promise<void> {
  for (const one of [stdin, client.output, client.errors]) one?.on("error", () => {}); // either end may go first
  if (stdin !== null) client.input.pipe(stdin);
  else client.input.resume(); // whoever is not read is not heard to go
  stdout?.pipe(client.output, { end: false });
  stderr?.pipe(wish.tty ? client.output : client.errors, { end: false });
  await Promise.allSettled([stdout, stderr].map((one) => one && finished(one)));
}

async function endWithDescendants({ pid }: ChildProcess): Promise<void> {
  if (pid === undefined) return;
  const all = await withDescendants(pid);
  killAll(all, "SIGHUP");
  killAll(all, "SIGTERM");
  await delay(GRACE_MS);
  killAll(all, "SIGKILL");
  killGroup(pid, "SIGKILL");
}

function killAll(processIds: readonly number[], signal: NodeJS.Signals): void {
  for (const processId of processIds) kill(processId, signal);
}

function killGroup(processId: number | undefined, signal: NodeJS.Signals): void {
  if (processId !== undefined) kill(-processId, signal);
}

function kill(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal);
  } catch (error) {
    // It has ended, or has become another user: this process may not end it, and must not end for that.
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

function exitCode(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
