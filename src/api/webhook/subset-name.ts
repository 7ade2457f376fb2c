/** Names of subsets, where a DestinationRule declares them and where a route chooses one. */
import { quoted } from "../quoted.ts";
import { isDnsLabel } from "./host-name.ts";

export function subsetNameProblem(name: string): string | undefined {
  if (name === "") return "must not be empty";
  return isDnsLabel(name) ? undefined : `${quoted(name)} is not a DNS label`;
}
