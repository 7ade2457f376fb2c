/** Finds a program as the operating system will, before anything is started. */
import { access, constants, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join, resolve } from "node:path";

/** @returns the program's path; undefined when there is none that can be run */
export async function findProgram(
  program: string,
  { path, workingDirectory }: { readonly path: string; readonly workingDirectory: string },
): Promise<string | undefined> {
  const candidates = program.includes("/")
    ? [isAbsolute(program) ? program : resolve(workingDirectory, program)]
    : path.split(delimiter).map((folder) => join(folder, program));
  for (const candidate of candidates) {
    if (await isRunnable(candidate)) return candidate;
  }
  return undefined;
}

async function isRunnable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false; // not there, or not ours to run
  }
}
