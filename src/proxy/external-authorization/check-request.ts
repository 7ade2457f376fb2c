/**
 * Writes `envoy.service.auth.v3.CheckRequest` as Envoy fills it under Istio's configuration (EA-20..EA-25).
 * Sources: `api/envoy/service/auth/v3/attribute_context.proto`, `check_request_utils.cc` of envoyproxy/envoy
 */
import type { HeldFields } from "../http/held-fields.ts";
import { GRPC_PREFIX_OCTETS } from "../own-calls/grpc-unary.ts";
import type { CheckedBody, CheckedConnection, CheckedRequest } from "./checked-traffic.ts";
import { MessageWriter } from "./message-writer.ts";
import { PARTIAL_BODY, schemeOf, toldFields } from "./told-fields.ts";

/** One for all: filled, and taken at once. */
const WRITER = new MessageWriter();
const SERVICE_HEADER = "x-envoy-downstream-service-cluster";
const NOTHING = Buffer.alloc(0);

/**
 * @param packing whether the body is told as bytes, or as a text (EA-9)
 * @returns the message of a call, see `GrpcRequest`
 */
export function requestCheck(request: CheckedRequest, packing: "bytes" | "text"): Buffer {
  WRITER.begin();
  if (request.body !== undefined) WRITER.expect(lengthOf(request, request.body));
  // `route_metadata_context` and `metadata_context` are there, and empty (EA-24).
  WRITER.bytes(13, NOTHING);
  WRITER.bytes(11, NOTHING);
  const before = WRITER.length;
  writeHttp(request, packing);
  writeTime(request.startedAt);
  WRITER.nest(4, before);
  writePeers(request, { callerService: request.headers.get(SERVICE_HEADER) ?? "" });
  return finished();
}

/** Enough for most: a long body is written once, into memory of its length. */
function lengthOf({ path, authority = "", headers }: CheckedRequest, body: CheckedBody): number {
  let octets = body.octets + 2 * (path.length + authority.length) + FIXED_OCTETS;
  for (let index = 0; index < headers.count; index++) {
    const [start = 0, , , end = 0] = headers.ranges.subarray(4 * index, 4 * index + 4);
    octets += end - start + FIELD_OCTETS;
  }
  return octets;
}

/** Of the peers, the time, and all else that is short. */
const FIXED_OCTETS = 4_096;
/** Tags and lengths of a field. */
const FIELD_OCTETS = 16;

/** EA-25 */
export function connectionCheck(connection: CheckedConnection): Buffer {
  const { serverName = "" } = connection.connection;
  WRITER.begin();
  writePeers(connection, { ownService: serverName });
  return finished();
}

function finished(): Buffer {
  WRITER.nest(1, 0);
  return WRITER.take(GRPC_PREFIX_OCTETS);
}

/** `Peer`: address 1, service 2, principal 4. */
function writePeers(
  { connection, own }: CheckedConnection,
  { callerService = "", ownService = "" }: { callerService?: string; ownService?: string },
): void {
  let before = WRITER.length;
  WRITER.text(4, own ?? "");
  WRITER.text(2, ownService);
  writeAddress(connection.destinationAddress, connection.destinationPort);
  WRITER.nest(2, before);
  before = WRITER.length;
  WRITER.text(4, connection.principal ?? "");
  WRITER.text(2, callerService);
  writeAddress(connection.sourceAddress, connection.sourcePort);
  WRITER.nest(1, before);
}

/** An `Address` with a `SocketAddress`. */
function writeAddress(address: string, port: number): void {
  const before = WRITER.length;
  WRITER.integer(3, port);
  WRITER.text(2, address);
  WRITER.nest(1, before);
  WRITER.nest(1, before);
}

function writeTime(time: Date): void {
  const before = WRITER.length;
  const ms = time.getTime();
  WRITER.integer(2, (ms % 1_000) * 1_000_000);
  WRITER.integer(1, Math.floor(ms / 1_000));
  WRITER.nest(1, before);
}

/** `HttpRequest`: id 1, method 2, headers 3, path 4, host 5, scheme 6, size 9, protocol 10, body 11, raw_body 12. */
function writeHttp(request: CheckedRequest, packing: "bytes" | "text"): void {
  const before = WRITER.length;
  const { body, headers, method, path, authority = "", protocol } = request;
  const scheme = schemeOf(headers);
  if (body !== undefined) writeBody(body, packing);
  WRITER.text(10, protocol);
  // What has come of the body, as Envoy has it: without a body in the check that is nothing.
  WRITER.integer(9, body?.octets ?? 0);
  WRITER.text(6, scheme);
  WRITER.text(5, authority);
  WRITER.text(4, path);
  writeHeaders(headers);
  writeHeader(":scheme", scheme);
  writeHeader(":path", path);
  writeHeader(":method", method);
  writeHeader(":authority", authority);
  if (body !== undefined) writeHeader(PARTIAL_BODY, String(body.extent === "partial"));
  WRITER.text(2, method);
  WRITER.text(1, requestId());
  WRITER.nest(2, before);
}

function writeBody({ pieces, octets }: CheckedBody, packing: "bytes" | "text"): void {
  if (octets === 0) return;
  const before = WRITER.length;
  for (let at = pieces.length - 1; at >= 0; at--) {
    const piece = pieces[at];
    if (piece !== undefined) WRITER.octets(piece, 0, piece.length);
  }
  if (packing === "text") WRITER.sanitize(octets);
  WRITER.nest(packing === "bytes" ? 12 : 11, before);
}

/** An entry of the map. */
function writeHeader(name: string, value: string): void {
  const before = WRITER.length;
  WRITER.text(2, value);
  WRITER.text(1, name);
  WRITER.nest(3, before);
}

function writeHeaders(headers: HeldFields): void {
  for (const [name, places] of toldFields(headers)) {
    const before = WRITER.length;
    writeJoined(headers, places);
    WRITER.nest(2, before);
    WRITER.text(1, name);
    WRITER.nest(3, before);
  }
}

/** From the last value to the first. */
function writeJoined({ bytes, ranges }: HeldFields, places: readonly number[]): void {
  for (let at = places.length - 1; at >= 0; at--) {
    const place = 4 * (places[at] ?? 0);
    WRITER.octetsOfText(bytes, ranges[place + 2] ?? 0, ranges[place + 3] ?? 0);
    if (at > 0) WRITER.characters(",");
  }
}

/** Envoy's is a random number of 64 bits, too. */
function requestId(): string {
  return String(Math.floor(Math.random() * Number.MAX_SAFE_INTEGER));
}
