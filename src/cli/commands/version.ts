/** `hauberk version`: of this program, and how many sidecars the mesh that runs has. */
import { DataDirectory } from "../../local/data-directory.ts";
import { findMesh, NoMeshError } from "../../local/joining/mesh-client.ts";
import { istioctlJson, istioctlYaml } from "../istioctl/print-dump.ts";
import { readVersion } from "../package-version.ts";
import type { Print } from "../print-line.ts";

export interface VersionOptions {
  readonly data: string;
  /** Whether the mesh is asked. */
  readonly remote: boolean;
  readonly short?: boolean;
  readonly output?: "json" | "yaml";
}

export async function versionCommand({
  data,
  remote,
  short,
  output,
  print,
}: VersionOptions & { readonly print: Print }): Promise<number> {
  const version = readVersion();
  const proxies = remote ? await proxiesOf(data) : undefined;
  const answer = { clientVersion: { version }, ...(proxies !== undefined && { proxies }) };
  if (output !== undefined) {
    print(output === "json" ? istioctlJson(answer) : istioctlYaml(answer));
    return 0;
  }
  const one = short && !remote;
  print(one ? version : `client version: ${version}`);
  if (proxies !== undefined) print(`data plane: ${proxies} proxies`);
  else if (remote) print("no running mesh");
  return 0;
}

async function proxiesOf(data: string): Promise<number | undefined> {
  try {
    const { workloads } = await findMesh(new DataDirectory(data));
    return workloads.filter(({ injected }) => injected).length;
  } catch (error) {
    if (error instanceof NoMeshError) return undefined;
    throw error;
  }
}
