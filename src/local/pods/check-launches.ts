/** Looks at everything that is about to be started, so that what cannot be is told at once, before anything runs. */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
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
    const planned = launch();
    const { command, environment, workingDirectory } = planned;
    if (!(await isThere(workingDirectory))) return `${at}: folder ${workingDirectory} is not there`;
    const path = environment["PATH"] ?? "";
    const program = await findProgram(command[0], { path, workingDirectory });
    return program === undefined ? `${at}: ${notFound(container, planned)}` : undefined;
  } catch (error) {
    if (error instanceof HauberkError) return describeError(error);
    throw error;
  }
}

/** Which program, where it is written, and what to do. */
function notFound(
  { image }: Container,
  { command: [program], mappedAt, workingDirectory }: ContainerLaunch,
): string {
  const [named, entry] =
    mappedAt === undefined
      ? ["its own command", "its command"]
      : [`to which ${formatLocation(mappedAt)} maps its image ${image}`, "that entry"];
  if (!program.includes("/"))
    return `program ${program}, ${named}, is not in PATH: install it, or write its path into ${entry}, absolute or from ${workingDirectory}`;
  const file = resolve(workingDirectory, program);
  return `program ${program}, ${named}, is no file that can be run: expected one at ${file}; put it there, or write another path into ${entry}`;
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await access(folder);
    return true;
  } catch {
    return false;
  }
}
