/** Requests and trailers as HTTP/2 writes them. */
import { TARGET } from "../../http/byte-classes.ts";
import { FIELD } from "../../http/field-names.ts";
import { mayBeTrailer } from "../../http/http1/trailers.ts";
import { checkText } from "../../http/http1/write-bytes.ts";
import { FieldBlock } from "../../http/http2/hpack/field-block.ts";
import type { Following, ReceivedFields } from "./received-message.ts";
import type { OutgoingRequest } from "./streams.ts";

/** One for all connections: filled, and sent at once. */
const BLOCK: FieldBlock = new FieldBlock();

/** @throws RangeError or TypeError when a part of it would be malformed */
export function requestBlock(request: OutgoingRequest, following: Following): FieldBlock {
  const { method, path, authority, scheme, fields, contentLength, upgrade } = request;
  if (upgrade === "websocket") throw new TypeError("HTTP/2 upgrades to nothing");
  BLOCK.request(method, scheme);
  if (authority !== undefined) BLOCK.authority(authority);
  if (method !== "CONNECT") {
    checkText(path, TARGET);
    BLOCK.path(path);
  }
  for (let index = 0; index < fields.count; index++) {
    if (isCopied(fields, index)) BLOCK.copy(fields, index);
  }
  if (contentLength >= 0 && method !== "CONNECT") {
    BLOCK.add("content-length", following === "last" ? "0" : String(contentLength));
  }
  return BLOCK;
}

/** By the same rule as in HTTP/1. @returns undefined when nothing is left to say */
export function trailersBlock(fields: ReceivedFields): FieldBlock | undefined {
  BLOCK.trailers();
  for (let index = 0; index < fields.count; index++) {
    if (fields.goesOn(index) && mayBeTrailer(fields, index)) BLOCK.copy(fields, index);
  }
  return BLOCK.length > 0 ? BLOCK : undefined;
}

/** We answer an expectation ourselves, and say ourselves how long a body is. */
function isCopied(fields: ReceivedFields, index: number): boolean {
  const id = fields.ids[index];
  return id !== FIELD.expect && id !== FIELD["content-length"] && fields.goesOn(index);
}
