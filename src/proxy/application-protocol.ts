/** Which version of HTTP a request goes on in, whichever it came in: `setUpstreamProtocol` of istiod, as one function. */
import type { PortProtocol } from "../api/service.ts";
import type { EffectiveConnectionPool } from "../policy/effective-traffic-policy.ts";
import type { HttpProtocol } from "./http/received-message.ts";

export interface ApplicationPort {
  readonly protocol: PortProtocol;
  /** As a DestinationRule says; absent: "declared". */
  readonly httpVersion?: EffectiveConnectionPool["httpVersion"];
}

/**
 * What an application is spoken to in, by prior knowledge where it is HTTP/2; and what its callers' sidecars offer for such
 * a request (`OFFERED_PROTOCOLS`). Where nothing is declared, as the client speaks. A WebSocket or a tunnel is always
 * HTTP/1.1, and not asked about here.
 *
 * @param request the version that the client's application spoke, see `requestProtocol`
 */
export function applicationProtocol(
  { protocol, httpVersion = "declared" }: ApplicationPort,
  request: HttpProtocol,
): "HTTP/1.1" | "HTTP/2" {
  if (httpVersion === "HTTP/2") return "HTTP/2";
  if (protocol === "http2" && httpVersion === "declared") return "HTTP/2";
  const followsClient = httpVersion === "client's" || protocol === "auto";
  return followsClient && request === "HTTP/2" ? "HTTP/2" : "HTTP/1.1";
}
