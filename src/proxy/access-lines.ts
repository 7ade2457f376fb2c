/**
 * Lines of requests, without the entries that they tell: what many requests have in common is bytes already. An entry of
 * 27 fields for each request, turned into JSON and looked through for what must be escaped, cost a tenth of the sidecar;
 * a text put together of dozens costs a third more than bytes.
 * Byte for byte `formatAccessLogEntry(requestEntry(...))`, as `access-lines.test.ts` shows.
 */
import { FIELD } from "../http/field-names.ts";
import { findField } from "../http/field-ranges.ts";
import type { SocketAddress } from "../policy/workload.ts";
import { LineBytes } from "../runtime/line-bytes.ts";
import { printableJsonText } from "../runtime/printable.ts";
import { isoTime } from "../telemetry/iso-time.ts";
import { clipped, detailsOf, MAX_CHARACTERS } from "./access-entry.ts";
import { DecisionTexts } from "./decision-texts.ts";
import type { Exchange, Outcome } from "./exchange.ts";
import { formatAddress } from "./format-address.ts";
import type { CallFacts, CallIdentities } from "./recorder.ts";
import type { UpstreamEnds } from "./upstream-dialer.ts";

/** Successive fields of all lines of one call, each behind its comma. */
interface CallPieces {
  /** From behind the time to before the protocol. */
  readonly reporter: Uint8Array;
  readonly cluster: Uint8Array;
  /** From our own end to the server name. */
  readonly downstream: Uint8Array;
  readonly identities: Uint8Array;
}

/** The same of one connection onwards. */
interface EndsPieces {
  readonly local: Uint8Array;
  /** Absent where it is no mutual TLS. */
  readonly identities: Uint8Array | undefined;
}

type ToldField = "x-forwarded-for" | "user-agent" | "x-request-id";

/** How most requests end, from behind the status to before the octets. */
interface EndPiece extends Pick<Outcome, "flags"> {
  readonly details: string;
  readonly bytes: Uint8Array;
}

export class AccessLines {
  readonly #calls = new WeakMap<CallFacts, CallPieces>();
  readonly #ends = new WeakMap<UpstreamEnds, EndsPieces>();
  readonly #hosts = new WeakMap<SocketAddress, Uint8Array>();
  readonly #decisions = new DecisionTexts();
  readonly #line = new LineBytes();
  #end: EndPiece | undefined;

  /** @returns one line without its line end, which the next one replaces */
  request(
    call: CallFacts,
    exchange: Exchange,
    { outcome, duration }: { readonly outcome: Outcome; readonly duration: number },
  ): LineBytes {
    const { headers } = exchange;
    const line = this.#line;
    const { reporter, cluster, downstream, identities } = this.#callPieces(call);
    const further = outcome.ends === undefined ? WITHOUT_ENDS : this.#endsPieces(outcome.ends);
    const proven = call.reporter === "source" ? further.identities : undefined;
    line.begin();
    line.piece(START);
    line.ascii(isoTime(exchange.startedAt.getTime()));
    line.piece(reporter);
    line.ascii(exchange.protocol);
    tell(line, METHOD, exchange.method);
    tell(line, PATH, exchange.path);
    tell(line, AUTHORITY, exchange.authority);
    line.piece(STATUS);
    if (outcome.status === null) line.piece(NULL);
    else line.number(outcome.status);
    line.piece(this.#endPiece(exchange, outcome));
    line.number(outcome.bytesReceived);
    line.piece(SENT);
    line.number(outcome.bytesSent);
    line.piece(DURATION);
    line.number(duration);
    tellField(line, FORWARDED_FOR, headers, "x-forwarded-for");
    tellField(line, USER_AGENT, headers, "user-agent");
    tellField(line, REQUEST_ID, headers, "x-request-id");
    line.piece(this.#hostPiece(outcome.target));
    line.piece(cluster);
    line.piece(further.local);
    line.piece(downstream);
    line.piece(proven ?? identities);
    line.piece(this.#decisions.of(exchange.decision));
    return line;
  }

  #callPieces(call: CallFacts): CallPieces {
    const known = this.#calls.get(call);
    if (known !== undefined) return known;
    const pieces = {
      reporter: Buffer.from(`","reporter":"${call.reporter}","protocol":"`),
      cluster: Buffer.from(`,"upstream_cluster":${told(call.cluster)}`),
      downstream: Buffer.from(
        `,"downstream_local_address":${addressText(call.local)}` +
          `,"downstream_remote_address":${addressText(call.remote)}` +
          `,"requested_server_name":${told(call.serverName)}`,
      ),
      identities: identitiesPiece(call.identities),
    };
    this.#calls.set(call, pieces);
    return pieces;
  }

  #endsPieces(ends: UpstreamEnds): EndsPieces {
    const known = this.#ends.get(ends);
    if (known !== undefined) return known;
    const { local, mutualTls } = ends;
    const pieces = {
      local: Buffer.from(`,"upstream_local_address":${addressText(local)}`),
      identities:
        mutualTls && identitiesPiece({ source: mutualTls.own, destination: mutualTls.peer.id }),
    };
    this.#ends.set(ends, pieces);
    return pieces;
  }

  #hostPiece(target: SocketAddress | undefined): Uint8Array {
    if (target === undefined) return NO_HOST;
    const known = this.#hosts.get(target);
    if (known !== undefined) return known;
    const piece = Buffer.from(`,"upstream_host":${addressText(target)}`);
    this.#hosts.set(target, piece);
    return piece;
  }

  /** Made anew only where a request ends in another way than the one before. */
  #endPiece(exchange: Exchange, outcome: Outcome): Uint8Array {
    const { flags, transportFailure } = outcome;
    const details = detailsOf(exchange, outcome);
    const last = this.#end;
    if (transportFailure !== undefined) return endPiece(flags, details, transportFailure);
    if (last?.flags === flags && last.details === details) return last.bytes;
    const bytes = endPiece(flags, details, undefined);
    this.#end = { flags, details, bytes };
    return bytes;
  }
}

const START = Buffer.from('{"start_time":"');
const METHOD = Buffer.from('","method":');
const PATH = Buffer.from(',"path":');
const AUTHORITY = Buffer.from(',"authority":');
const STATUS = Buffer.from(',"response_code":');
const SENT = Buffer.from(',"bytes_sent":');
const DURATION = Buffer.from(',"duration":');
const FORWARDED_FOR = Buffer.from(',"x_forwarded_for":');
const USER_AGENT = Buffer.from(',"user_agent":');
const REQUEST_ID = Buffer.from(',"request_id":');
const NULL = Buffer.from("null");
const NO_HOST = Buffer.from(',"upstream_host":null');
const WITHOUT_ENDS: EndsPieces = {
  local: Buffer.from(',"upstream_local_address":null'),
  identities: undefined,
};

function endPiece(flags: string, details: string, transportFailure: string | undefined): Buffer {
  return Buffer.from(
    `,"response_flags":${told(flags)},"response_code_details":${printableJsonText(details)}` +
      `,"connection_termination_details":null` +
      `,"upstream_transport_failure_reason":${told(transportFailure)},"bytes_received":`,
  );
}

function identitiesPiece(identities: CallIdentities | undefined): Buffer {
  const { source, destination } = identities ?? {};
  return Buffer.from(
    `,"source_principal":${toldWhole(source?.id)},"destination_principal":${toldWhole(destination)}` +
      `,"source_certificate_serial":${toldWhole(source?.serialNumber)}`,
  );
}

function addressText(address: SocketAddress): string {
  return printableJsonText(formatAddress(address));
}

function tell(line: LineBytes, label: Uint8Array, text: string | undefined): void {
  line.piece(label);
  tellText(line, text);
}

function tellText(line: LineBytes, text: string | undefined): void {
  if (text === undefined) line.piece(NULL);
  else if (text.length > MAX_CHARACTERS) line.text(told(text));
  else line.json(text);
}

/** Mostly there is one field of a name, with nothing in it to be escaped: then it never becomes a text. */
function tellField(
  line: LineBytes,
  label: Uint8Array,
  fields: Exchange["headers"],
  name: ToldField,
): void {
  const id = FIELD[name];
  const at = findField(fields, id);
  const isOnly = at >= 0 && findField(fields, id, at + 1) < 0;
  const { bytes, ranges } = fields;
  const [start = 0, end = 0] = [ranges[4 * at + 2], ranges[4 * at + 3]];
  line.piece(label);
  if (isOnly && end - start <= MAX_CHARACTERS && line.jsonOctets(bytes, start, end)) return;
  tellText(line, at < 0 ? undefined : fields.get(name));
}

function told(text: string | undefined): string {
  return toldWhole(clipped(text) ?? undefined);
}

function toldWhole(text: string | undefined): string {
  return text === undefined ? "null" : printableJsonText(text);
}
