/** Where a gateway is reached from this machine, in a line that can be copied. */
import type { GatewayAddress } from "../local/gateway-addresses.ts";

const USUAL_PORTS: Readonly<Record<string, number>> = { https: 443, http: 80 };

/** `https://shop.example.com:20443 at 127.0.0.1:20443 (curl --resolve shop.example.com:20443:127.0.0.1)` */
export function formatGatewayAddress(address: GatewayAddress): string {
  const { hosts, listen, problem, notOffered } = address;
  const { address: ip, port } = listen;
  const named = hosts.find((host) => !host.includes("*"));
  const names = hosts.length === 0 ? ["*"] : hosts;
  const urls = names.map((host) => urlOf(host, address)).join(", ");
  if (notOffered !== undefined) {
    return `${urls} to pods alone: this machine does not offer it at ${ip}:${port}: ${notOffered}`;
  }
  const resolve = named === undefined ? "" : ` (curl --resolve ${named}:${port}:${ip})`;
  const trouble = problem === undefined ? "" : `, but it refuses all handshakes: ${problem}`;
  return `${urls} at ${ip}:${port}${problem === undefined ? resolve : trouble}`;
}

function urlOf(host: string, { speaks, listen: { port } }: GatewayAddress): string {
  return `${speaks}://${host}${USUAL_PORTS[speaks] === port ? "" : `:${port}`}`;
}
