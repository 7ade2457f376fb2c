/**
 * The command around one that joins a container which runs already, as a probe does: it sees the files, processes and
 * addresses that the application sees, and may do no more than it. Pure.
 */
import { type Command, splitEnvironment } from "./enclosure.ts";
import type { MeshUser } from "./host-side.ts";
import { APPLICATION_UID } from "./mesh-ranges.ts";
import { systemProgram } from "./system-programs.ts";

export interface ContainerEntrance {
  readonly user: MeshUser;
  /** Of the application, or of any process inside. */
  readonly processId: number;
  readonly command: Command;
  readonly environment: Readonly<Record<string, string>>;
  /** As the container knows it. */
  readonly workingDirectory: string;
}

const NAMESPACES = ["--mount", "--uts", "--ipc", "--net", "--pid"];

/** It is the application's user before any file of the container is opened, and stays so. */
const AS_APPLICATION: Readonly<Record<MeshUser, readonly string[]>> = {
  ordinary: ["--user", "--preserve-credentials"],
  root: [`--setuid=${APPLICATION_UID}`, `--setgid=${APPLICATION_UID}`],
};

/** @returns what to start, from anywhere, and with which environment */
export function enterContainer(entrance: ContainerEntrance): {
  readonly command: Command;
  readonly environment: Readonly<Record<string, string>>;
} {
  const { user, processId, command, workingDirectory } = entrance;
  const { outside, inside } = splitEnvironment(entrance.environment);
  return {
    command: [
      systemProgram("setpriv"),
      "--no-new-privs",
      "--",
      systemProgram("nsenter"),
      `--target=${processId}`,
      ...NAMESPACES,
      ...AS_APPLICATION[user],
      "--",
      "/usr/bin/env",
      `--chdir=${workingDirectory}`,
      ...inside,
      ...command,
    ],
    environment: outside,
  };
}
