/** Server names of TLS, among them those that sidecars give to each other: `outbound_.80_._.shop.example` (TLS-33). */
import { quoted } from "../quoted.ts";
import { wildcardHostProblem } from "./host-name.ts";

const MESH_NAME = "outbound_";

/** @param place names of the mesh are accepted at a gateway, which passes connections between networks */
export function sniHostProblem(name: string, place: "gateway" | "mesh"): string | undefined {
  if (place === "mesh" || !name.startsWith(MESH_NAME) || name.length > 255) {
    return wildcardHostProblem(name);
  }
  const [, port = "", , host = ""] = name.split("_");
  const wellFormed = /\d/.test(port) && /[a-zA-Z]/.test(host);
  return wellFormed
    ? undefined
    : `${quoted(name)} is not a server name; expected ${MESH_NAME}.PORT_._.HOST`;
}
