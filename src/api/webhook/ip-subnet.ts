/** Ranges of addresses, or single ones, as routes and entries name them. */
import { parseCidr } from "../cidr.ts";
import { quoted } from "../quoted.ts";
import { isAddress } from "./host-name.ts";

export function subnetProblem(text: string): string | undefined {
  const good = text.includes("/") ? parseCidr(text) !== undefined : isAddress(text);
  return good ? undefined : `${quoted(text)} is neither an address nor a range of addresses`;
}
