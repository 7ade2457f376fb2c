/** Connections that policies may tell apart: made of the names, addresses and ports that they mention. */
import { parseSpiffeId } from "../../../src/identity/spiffe-id.ts";
import type { Connection } from "../../../src/policy/traffic.ts";
import { connectionFrom } from "../../kit/mesh-parts.ts";

export interface Probe {
  readonly name: string;
  readonly connection: Connection;
}

const TEXT = /"([^"]+)"/g;
const ADDRESS = /^\d+(\.\d+){3}(?=$|\/)/;
const PORT = /^\d+$/;

export function probesOf(policies: string): readonly Probe[] {
  const texts = [...new Set([...policies.matchAll(TEXT)].map(([, text = ""]) => text))];
  const names = texts.filter((text) => !ADDRESS.test(text) && !PORT.test(text));
  const callers = ["plaintext", ...names.flatMap(identitiesOf)];
  const addresses = ["192.0.2.1", ...texts.flatMap((text) => ADDRESS.exec(text)?.[0] ?? [])];
  const ports = [1, ...texts.filter((text) => PORT.test(text)).map(Number)];
  return callers.flatMap((caller) =>
    addresses.flatMap((sourceAddress) =>
      ports.map((destinationPort) => ({
        name: `${caller} from ${sourceAddress} to ${destinationPort}`,
        connection: connectionFrom(caller, { sourceAddress, destinationPort }),
      })),
    ),
  );
}

/** What a name may be: a principal, a namespace, or an account. */
function identitiesOf(name: string): readonly string[] {
  const plain = name.replaceAll("*", "x");
  return [
    `spiffe://${plain}`,
    `spiffe://cluster.local/ns/${plain}/sa/somebody`,
    `spiffe://cluster.local/ns/default/sa/${plain}`,
  ].filter(isIdentity);
}

function isIdentity(text: string): boolean {
  try {
    return parseSpiffeId(text) === text;
  } catch {
    return false;
  }
}
