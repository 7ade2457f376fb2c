/** Puts `istioctl` and `hauberk` into the data directory: this very program, asked of this very mesh. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { replaceFile } from "../runtime/atomic-file.ts";
import { DATA_VARIABLE } from "./asked-mesh.ts";

const NAMES = ["hauberk", "istioctl"];

/**
 * @param data the data directory, absolute
 * @param command how to start this program
 * @returns the folder, for `PATH`
 */
export async function linkIstioctl(data: string, command: readonly string[]): Promise<string> {
  const folder = join(data, "bin");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const script = [
    "#!/bin/sh",
    `${DATA_VARIABLE}=\${${DATA_VARIABLE}:-${quoted(data)}}`,
    `export ${DATA_VARIABLE}`,
    `exec ${command.map(quoted).join(" ")} "$@"`,
    "",
  ].join("\n");
  for (const name of NAMES) await replaceFile(join(folder, name), script, { mode: 0o700 });
  return folder;
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
