/** Open Policy Agent with its plugin for Envoy, built from its Go module: the one that meshes find in PATH. */
import { delimiter, join } from "node:path";
import { buildGoModule } from "./go-program.ts";

/**
 * From now on whatever this process starts finds it as `opa`.
 *
 * @returns path of the program
 * @throws Error when the module cannot be fetched or built
 */
export async function opaInPath(): Promise<string> {
  const folder = await buildGoModule("test/interop/opa");
  const { PATH = "" } = process.env;
  if (!PATH.split(delimiter).includes(folder)) process.env["PATH"] = `${PATH}${delimiter}${folder}`;
  return join(folder, "opa");
}
