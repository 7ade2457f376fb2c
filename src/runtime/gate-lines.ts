/**
 * The first lines of connections between the gateway of a mesh of network namespaces and its host side: what is wanted,
 * and how it went. Plain bytes follow. See `policy/gateway-messages.ts` for who is who.
 */

/** Of a line; the longest one names a service. */
export const MAX_GATE_LINE_BYTES = 256;

export type GateRequest =
  | { readonly wanted: "names" }
  | { readonly wanted: "connection"; readonly target: string; readonly port: number };

const CONNECT = /^CONNECT ([\w.:/-]+) ([1-9][0-9]{0,4})$/;
const FAILED = /^FAILED ([\w-]+)$/;
const MAX_PORT = 65_535;

/** After which DNS messages follow, both ways, each after its length. */
export const NAMES_LINE = "DNS\n";

/** @param target an IP address; or `namespace/service` */
export function connectLine(target: string, port: number): string {
  return `CONNECT ${target} ${port}\n`;
}

/** @returns undefined when the line is neither */
export function parseGateRequest(line: string): GateRequest | undefined {
  if (`${line}\n` === NAMES_LINE) return { wanted: "names" };
  const [, target, port] = CONNECT.exec(line) ?? [];
  if (target === undefined || Number(port) > MAX_PORT) return undefined;
  return { wanted: "connection", target, port: Number(port) };
}

/** Bytes of the connection follow. */
export const CONNECTED_LINE = "OK\n";

/** @param code letters, digits, `-` and `_`; anything else becomes `-` */
export function failedLine(code: string): string {
  return `FAILED ${code.replace(/[^\w-]+/g, "-").slice(0, 64) || "unknown"}\n`;
}

/** @returns "connected", or the code of the failure; of a line that is no answer, `malformed-answer` */
export function parseGateAnswer(line: string): "connected" | { readonly failed: string } {
  if (`${line}\n` === CONNECTED_LINE) return "connected";
  return { failed: FAILED.exec(line)?.[1] ?? "malformed-answer" };
}
