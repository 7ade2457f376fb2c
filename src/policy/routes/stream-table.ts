/** Which route a connection takes whose content is nobody's matter. */
import { cidrContains, parseCidr, parseIpAddress } from "../../api/cidr.ts";
import { foldAscii } from "../../api/string-match.ts";
import type { StreamRoute } from "./stream-route.ts";

export interface RoutedConnection {
  /** Of its TLS; absent: it names nobody, or there is no TLS. */
  readonly serverName?: string | undefined;
  /** That was called; absent: not known, and no subnet has it. */
  readonly destinationAddress?: string | undefined;
  readonly port?: number | undefined;
  /** Of the destination that was called, where a sidecar asks. */
  readonly host?: string | undefined;
}

/** The first that matches. */
export function findStreamRoute(
  routes: readonly StreamRoute[],
  connection: RoutedConnection,
): StreamRoute | undefined {
  const serverName =
    connection.serverName === undefined ? undefined : foldAscii(connection.serverName);
  return routes.find(
    ({ hosts, serverNames, destinationSubnets, port }) =>
      (hosts === undefined || hosts.some((name) => isNamed(name, connection.host))) &&
      (port === undefined || port === connection.port) &&
      (serverNames === undefined || serverNames.some((name) => isNamed(name, serverName))) &&
      (destinationSubnets === undefined ||
        destinationSubnets.some((subnet) => isInside(connection.destinationAddress, subnet))),
  );
}

function isNamed(pattern: string, name: string | undefined): boolean {
  if (pattern === "*") return true;
  if (name === undefined) return false;
  if (!pattern.startsWith("*")) return pattern === name;
  return name.length >= pattern.length && name.endsWith(pattern.slice(1));
}

function isInside(address: string | undefined, subnet: string): boolean {
  if (address === undefined) return false;
  const range = parseCidr(subnet);
  const one = parseIpAddress(address);
  return range !== undefined && one !== undefined && cidrContains(range, one);
}
