/** kubectl: the one of PATH where that will do, otherwise one built from its Go module, once for each version. */
import { execFileSync } from "node:child_process";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { buildGoModule } from "./go-program.ts";

/** "recent": any that the articles' commands run with; "recorded": the version that recordings are of. */
export type WantedKubectl = "recent" | "recorded";

const OLDEST_MINOR = 30;
/** Another says some things otherwise. Also that of the module. */
const RECORDED_MINOR = 32;
const MODULE = fileURLToPath(new URL("../interop/kubernetes/kubectl", import.meta.url));
/** A build from the module does not know its own version. */
const VERSION: Readonly<Record<string, string>> = {
  gitMajor: "1",
  gitMinor: `${RECORDED_MINOR}`,
  gitVersion: "v1.32.4",
};
const LINKER_FLAGS: string = Object.entries(VERSION)
  .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  .join(" ");

/**
 * From now on whatever this process starts finds it as `kubectl`.
 *
 * @throws Error when there is none that will do, and none can be built
 */
export async function kubectlInPath(wanted: WantedKubectl = "recent"): Promise<void> {
  if (willDo(minorInPath(), wanted)) return;
  const folder = await buildKubectl();
  process.env["PATH"] = [folder, process.env["PATH"] ?? ""].join(delimiter);
}

/** @returns the folder that holds it; a build takes minutes, and is kept @throws Error */
export function buildKubectl(): Promise<string> {
  return buildGoModule(MODULE, { linkerFlags: LINKER_FLAGS });
}

function willDo(minor: number | undefined, wanted: WantedKubectl): boolean {
  if (minor === undefined) return false;
  return wanted === "recorded" ? minor === RECORDED_MINOR : minor >= OLDEST_MINOR;
}

/** @returns undefined where there is none */
function minorInPath(): number | undefined {
  try {
    const said = execFileSync("kubectl", ["version", "--client", "-o", "json"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [, minor] = /"minor":\s*"(\d+)/.exec(said) ?? [];
    return minor === undefined ? undefined : Number(minor);
  } catch {
    return undefined;
  }
}
