/** `hauberk status`: what runs in the mesh on this machine, and how it does. Exit 0: all is well; 1: something is down. */

import { DataDirectory } from "../../local/data-directory.ts";
import type { Clock } from "../../runtime/clock.ts";
import { askMeshStatus } from "../ask-mesh-status.ts";
import { findTroubles, formatMeshStatus } from "../format-mesh-status.ts";
import { jsonText } from "../json-text.ts";
import type { Print } from "../print-line.ts";

/** @throws NoMeshError */
export async function statusCommand(
  options: { readonly data: string; readonly json?: boolean },
  { print, clock }: { readonly print: Print; readonly clock: Clock },
): Promise<number> {
  const mesh = await askMeshStatus(new DataDirectory(options.data));
  const now = clock.now();
  const troubles = findTroubles(mesh, now);
  if (options.json) print(jsonText({ ...mesh, troubles }));
  else for (const line of formatMeshStatus(mesh, now)) print(line);
  return troubles.length === 0 ? 0 : 1;
}
