/** Which mesh a question is asked of, where nobody says it: the one that kubectl would speak with. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Option } from "commander";
import {
  sharedDataDirectory,
  sharedKubeconfigFolder,
} from "../local/api-server/access/shared-kubeconfig.ts";
import { DEFAULT_DATA_DIRECTORY, MESH_STATE_FILE } from "../local/data-directory.ts";

/** Set by the `istioctl` that `up` puts into the data directory. */
export const DATA_VARIABLE = "HAUBERK_DATA";

/** As `dataFolder`, for commands that only ask. */
export function askedDataFolder(): Option {
  return new Option("--data <folder>", "where the mesh keeps its state").default(
    dataOf(process.env) ?? DEFAULT_DATA_DIRECTORY,
    `that of $KUBECONFIG, or ${DEFAULT_DATA_DIRECTORY}`,
  );
}

/** @returns undefined where the environment says nothing */
export function dataOf(environment: NodeJS.ProcessEnv): string | undefined {
  const kubeconfig = environment["KUBECONFIG"] ?? "";
  if (kubeconfig !== "" && existsSync(join(dirname(kubeconfig), MESH_STATE_FILE)))
    return dirname(kubeconfig);
  const folder = sharedKubeconfigFolder(environment);
  const shared = kubeconfig === join(folder, "kubeconfig") && currentContext(kubeconfig);
  const found = shared === false ? undefined : sharedDataDirectory(folder, shared);
  return found ?? environment[DATA_VARIABLE];
}

function currentContext(kubeconfig: string): string {
  try {
    const line = /^current-context: (.*)$/m.exec(readFileSync(kubeconfig, "utf8"))?.[1];
    return String(JSON.parse(line ?? '""'));
  } catch {
    return ""; // kubectl has no better news of it
  }
}
