/** What Envoy's tests say of a request and its connection, as a sidecar would see it. */
import type { HttpRequest } from "../../../src/policy/traffic.ts";
import { connectionFrom, requestOn } from "../../kit/mesh-parts.ts";

export interface EnvoyRequest {
  /** `ADDRESS:PORT`, as all of these. */
  readonly localAddress?: string;
  readonly remoteAddress?: string;
  readonly directRemoteAddress?: string;
  readonly connectionRemoteAddress?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Null on plaintext. */
  readonly ssl?: PeerNames | null;
  readonly sni?: string;
}

export interface PeerNames {
  readonly uriSans?: readonly string[];
  readonly dnsSans?: readonly string[];
  readonly subject?: string;
}

export function requestOf(request: EnvoyRequest): HttpRequest {
  const { localAddress, remoteAddress, directRemoteAddress, connectionRemoteAddress } = request;
  const local = socketAddress(localAddress);
  const direct = socketAddress(directRemoteAddress ?? connectionRemoteAddress);
  const remote = socketAddress(remoteAddress);
  const connection = connectionFrom(request.ssl?.uriSans?.[0] ?? "plaintext", {
    ...(local && { destinationAddress: local.address, destinationPort: local.port }),
    ...(direct && { sourceAddress: direct.address, sourcePort: direct.port }),
    ...(request.sni !== undefined && { serverName: request.sni }),
  });
  const { ":path": path, ":method": method, ":authority": authority, ...headers } = joined(request);
  return requestOn(connection, {
    headers,
    ...(path !== undefined && { path }),
    ...(method !== undefined && { method }),
    ...(authority !== undefined && { authority }),
    ...(remote && { remoteAddress: remote.address }),
  });
}

/** Several values of one header are one, joined by commas (AP-80). */
function joined({ headers = {} }: EnvoyRequest): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name.toLowerCase(),
      typeof value === "string" ? value : value.join(","),
    ]),
  );
}

function socketAddress(
  text: string | undefined,
): { readonly address: string; readonly port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(text ?? "") ?? [];
  const address = bracketed ?? plain;
  return address === undefined ? undefined : { address, port: Number(port) };
}
