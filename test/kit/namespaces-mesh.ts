/** `hauberk up --network namespaces` from the build, as an ordinary user or as root, for tests that look on from outside. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { MeshState } from "../../src/local/mesh-state.ts";
import { eventually } from "./eventually.ts";
import { type OrdinaryUser, ordinaryUser } from "./ordinary-user.ts";

export type TestUser = "ordinary" | "root";

/** Who can be tried here: root can be both. */
export const testUsers: readonly TestUser[] =
  process.getuid?.() === 0 ? ["ordinary", "root"] : ["ordinary"];

export interface RunOutcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface StartedCommand {
  readonly child: ChildProcess;
  /** Both outputs, as they came. */
  readonly said: () => string;
  readonly ended: Promise<RunOutcome>;
}

/** A user's place to run meshes from. */
export interface Account extends OrdinaryUser {
  /** Starts `hauberk` with these arguments, leader of a process group of its own. */
  start(parameters: readonly string[], environment?: NodeJS.ProcessEnv): StartedCommand;
  /** Runs it to the end. */
  run(
    parameters: readonly string[],
    environment?: NodeJS.ProcessEnv,
  ): Promise<RunOutcome & { readonly said: string }>;
}

export async function openAccount(user: TestUser): Promise<Account> {
  const place = user === "root" ? await rootPlace() : await ordinaryUser();
  const start: Account["start"] = (parameters, environment = {}) =>
    startCommand([...place.hauberk, ...parameters], {
      cwd: place.folder,
      env: { ...place.environment, ...environment },
    });
  return {
    ...place,
    start,
    async run(parameters, environment) {
      const { ended, said } = start(parameters, environment);
      return { ...(await ended), said: said() };
    },
  };
}

async function rootPlace(): Promise<OrdinaryUser> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-root-"));
  return {
    folder,
    prefix: [],
    own: () => Promise.resolve(),
    hauberk: [process.execPath, resolve("dist/bin/main.js")],
    environment: { PATH: process.env["PATH"], LANG: "C.UTF-8", HOME: folder },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export function startCommand(
  [program = "", ...parameters]: readonly string[],
  {
    cwd,
    env,
    input = "ignore",
  }: {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
    readonly input?: "ignore" | "pipe";
  },
): StartedCommand {
  const child = spawn(program, parameters, {
    cwd,
    env,
    stdio: [input, "pipe", "pipe"],
    detached: true,
  });
  process.once("exit", () => child.kill("SIGTERM")); // it must not outlive who looks on
  let text = "";
  const hear = (part: Buffer): void => {
    text += part.toString();
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const ended = new Promise<RunOutcome>((resolveEnd, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolveEnd({ code, signal }));
  });
  return { child, said: () => text, ended };
}

/** @throws Error when the command ends, or does not say it in time */
export async function untilCommandSays(command: StartedCommand, words: RegExp): Promise<void> {
  await eventually(
    () => `${words} in: ${command.said()}`,
    () => {
      const { exitCode, signalCode } = command.child;
      if (words.test(command.said())) return true;
      if (exitCode !== null || signalCode !== null)
        throw new Error(`it ended, having said ${command.said()}`);
      return false;
    },
  );
}

/** Why this machine does not allow such meshes, in hauberk's own words; undefined when it does. */
export async function namespacesForbidden(account: Account): Promise<string | undefined> {
  const nothing = join(account.folder, "no-such-manifests");
  const data = join(account.folder, "forbidden");
  const up = ["up", "-f", nothing, "--data", data, "--network", "namespaces"];
  const { said } = await account.run(up);
  const [, because] = /does not allow --network namespaces:\s*([\s\S]*)/.exec(said) ?? [];
  return because;
}

export interface NamespacesMesh extends StartedCommand {
  readonly account: Account;
  readonly data: string;
  /** What the state file says now. */
  state(): Promise<MeshState>;
  /** Text of a file below the data directory; empty when it is not there. */
  read(path: string): Promise<string>;
  /** As Ctrl-C does. Resolves once it has ended. */
  stop(): Promise<RunOutcome>;
}

/** @returns once the mesh is up */
export async function startNamespacesMesh(
  account: Account,
  {
    files,
    data = join(account.folder, "data"),
    environment,
  }: {
    readonly files: string;
    readonly data?: string;
    readonly environment?: NodeJS.ProcessEnv;
  },
): Promise<NamespacesMesh> {
  const up = ["up", "-f", files, "--data", data, "--network", "namespaces"];
  const command = account.start(up, environment);
  const stop = async (): Promise<RunOutcome> => {
    const { exitCode, signalCode, pid } = command.child;
    if (exitCode === null && signalCode === null && pid !== undefined) process.kill(pid, "SIGTERM");
    return command.ended;
  };
  try {
    await untilCommandSays(command, /the mesh is up after/);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ...command,
    account,
    data,
    stop,
    state: async () => JSON.parse(await readFile(join(data, "mesh.json"), "utf8")) as MeshState,
    read: (path) => readFile(join(data, path), "utf8").catch(() => ""),
  };
}
