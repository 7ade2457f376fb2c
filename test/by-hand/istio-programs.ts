/** Programs of Istio, built unmodified from its Go module, beside the repository, once for each version. */
import { spawnSync } from "node:child_process";
import { access, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

/** The one that was tried last; `HAUBERK_ISTIO` names another, as `1.30.0`. */
export const ISTIO_VERSION: string =
  process.env["HAUBERK_ISTIO"] ?? "v0.0.0-20260827124520-eed52ebb66ad";
const PROGRAMS = {
  istioctl: "istio.io/istio/istioctl/cmd/istioctl",
  "pilot-agent": "istio.io/istio/pilot/cmd/pilot-agent",
} as const;

/**
 * @returns path of the program
 * @throws Error when it can't be fetched or compiled; Go is needed, and ten minutes the first time
 */
export async function istioProgram(name: keyof typeof PROGRAMS): Promise<string> {
  const folder = resolve(".cache", "istio", ISTIO_VERSION);
  const program = join(folder, name);
  if (await isThere(program)) return program;
  await mkdir(folder, { recursive: true });
  const { status, stderr, error } = spawnSync(
    "go",
    ["install", `${PROGRAMS[name]}@${ISTIO_VERSION}`],
    { encoding: "utf8", env: { ...process.env, GOBIN: folder, CGO_ENABLED: "0" } },
  );
  if (status !== 0) throw new Error(`go install: ${error?.message ?? stderr}`);
  return program;
}

/** @returns path of Istio's template of Envoy's bootstrap, in the module that was fetched */
export async function bootstrapTemplate(): Promise<string> {
  const { status, stdout, stderr } = spawnSync(
    "go",
    ["mod", "download", "-json", `istio.io/istio@${ISTIO_VERSION}`],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`go mod download: ${stderr}`);
  const { Dir } = JSON.parse(stdout) as { readonly Dir: string };
  return join(Dir, "tools", "packaging", "common", "envoy_bootstrap.json");
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
