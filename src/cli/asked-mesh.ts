/** Which mesh a question is asked of, where nobody says it: the one that kubectl would speak with. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
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

/** The same, and the words of istioctl and kubectl for it, of which `--context` counts more than `--kubeconfig`. */
export function ofAskedMesh(command: Command): Command {
  return command
    .addOption(askedDataFolder())
    .addOption(
      new Option(
        "--context <name>",
        "the mesh with this context in the shared kubeconfig",
      ).argParser(dataOfContext),
    )
    .addOption(
      new Option("--kubeconfig <file>", "the mesh that this kubeconfig leads to").argParser(
        dataOfKubeconfig,
      ),
    )
    .hook("preAction", (_, asked) => {
      const { context, kubeconfig } = asked.opts();
      const data = context ?? kubeconfig;
      if (data !== undefined) asked.setOptionValue("data", data);
    });
}

/** @returns where the mesh keeps its state */
function dataOfContext(name: string): string {
  const found = sharedDataDirectory(sharedKubeconfigFolder(process.env), name);
  if (found !== undefined) return found;
  throw new InvalidArgumentError("no mesh of that name is in the shared kubeconfig");
}

function dataOfKubeconfig(file: string): string {
  const found = dataOf({ ...process.env, KUBECONFIG: file, [DATA_VARIABLE]: undefined });
  if (found !== undefined) return found;
  throw new InvalidArgumentError("expected the kubeconfig of a mesh that runs here");
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
