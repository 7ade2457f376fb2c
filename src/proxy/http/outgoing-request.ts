/** A request as it goes on to its callee: what the client said, but for what its route says otherwise. */
import type { Exchange, Route } from "../exchange.ts";
import type { OutgoingRequest } from "./streams.ts";

export function outgoingRequest(exchange: Exchange, { scheme, terms }: Route): OutgoingRequest {
  const { method, headers, contentLength } = exchange;
  const path = terms?.path ?? exchange.path;
  const authority = terms?.authority ?? exchange.authority;
  const upgrade = exchange.upgrade === "websocket" ? "websocket" : undefined;
  return { method, path, authority, scheme, fields: headers, contentLength, upgrade };
}
