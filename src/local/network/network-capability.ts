/** Whether this machine, and this user on it, can have a mesh whose pods have networks of their own; and if not, what would allow it. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { platform } from "node:os";
import { describeError } from "../../runtime/hauberk-error.ts";
import { requireLinuxSockets } from "../../runtime/linux-socket.ts";
import {
  explainTrial,
  type MachineFacts,
  missingPrograms,
  type Obstacle,
  PACKAGE_MANAGERS,
  SETTINGS,
} from "./network-remedies.ts";
import { tryNetwork } from "./network-trial.ts";
import { findSystemProgram, PROGRAM_PACKAGES, type SystemProgram } from "./system-programs.ts";

export type { Obstacle } from "./network-remedies.ts";

export type NetworkCapability =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly obstacles: readonly Obstacle[] };

const PROGRAMS = Object.keys(PROGRAM_PACKAGES) as SystemProgram[];

/** Tries everything once, in less than a second; nothing of it stays. */
export async function examineNetwork(): Promise<NetworkCapability> {
  if (platform() !== "linux") {
    const remedy = "start it on Linux, such as in a virtual machine";
    const because = `this is ${platform()}`;
    return { allowed: false, obstacles: [{ what: "network namespaces", because, remedy }] };
  }
  const facts = machineFacts();
  const missing = PROGRAMS.filter((program) => findSystemProgram(program) === undefined);
  const obstacles = [...missingPrograms(missing, facts), ...nativeLibrary()];
  if (obstacles.length > 0) return { allowed: false, obstacles };
  const [, entry] = process.argv;
  const programs = [process.execPath, ...(entry === undefined ? [] : [entry])];
  // As sidecars are started: `npx` leads to the entry by a link in a folder that only this user can read.
  const sidecarFiles = programs.filter(existsSync).map((path) => realpathSync(path));
  const outcome = await tryNetwork(facts.user, sidecarFiles);
  return outcome.result === "passed"
    ? { allowed: true }
    : { allowed: false, obstacles: [explainTrial(outcome, facts)] };
}

function nativeLibrary(): readonly Obstacle[] {
  try {
    requireLinuxSockets();
    return [];
  } catch (error) {
    const remedy = "npm install --include=optional, on this very machine";
    return [{ what: "the native library", because: describeError(error), remedy }];
  }
}

function machineFacts(): MachineFacts {
  const settings = SETTINGS.flatMap((name) => {
    const value = readSetting(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    user: process.getuid?.() === 0 ? "root" : "ordinary",
    settings: Object.fromEntries(settings),
    container: containerKind(),
    packageManager: PACKAGE_MANAGERS.find((name) => findSystemProgram(name) !== undefined),
  };
}

function containerKind(): MachineFacts["container"] {
  if (existsSync("/run/.containerenv")) return "podman";
  return existsSync("/.dockerenv") ? "docker" : "none";
}

function readSetting(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8").trim();
  } catch {
    return undefined; // this kernel has no such setting
  }
}
