/** Looks at everything that is about to be started, so that what cannot be is told at once, before anything runs. */
import { access } from "node:fs/promises";
import type { Container } from "../../api/container.ts";
import { formatLocation } from "../../api/resource.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { MeshPlanError } from "../mesh-plan.ts";
import { findProgram } from "../processes/find-program.ts";
import type { ContainerLaunch } from "./container-launch.ts";

export interface PlannedLaunch {
  readonly container: Container;
  /** @throws HauberkError with file:line */
  readonly launch: () => ContainerLaunch;
}

/** @throws MeshPlanError with a line for each container that cannot be started */
export async function checkLaunches(launches: readonly PlannedLaunch[]): Promise<void> {
  const problems = await Promise.all(launches.map(problemOf));
  const found = [...new Set(problems.filter((problem) => problem !== undefined))];
  if (found.length > 0) throw new MeshPlanError(`nothing was started:\n${found.join("\n")}`);
}

async function problemOf({ container, launch }: PlannedLaunch): Promise<string | undefined> {
  const at = `${formatLocation(container.source)}: container ${container.name}`;
  try {
    const { command, environment, workingDirectory } = launch();
    if (!(await isThere(workingDirectory))) return `${at}: folder ${workingDirectory} is not there`;
    const path = environment["PATH"] ?? "";
    const program = await findProgram(command[0], { path, workingDirectory });
    return program === undefined
      ? `${at}: program ${command[0]} is not found; expected one in PATH, or a path from ${workingDirectory}`
      : undefined;
  } catch (error) {
    if (error instanceof HauberkError) return describeError(error);
    throw error;
  }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await access(folder);
    return true;
  } catch {
    return false;
  }
}
