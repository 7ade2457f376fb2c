/**
 * A received head or trailers, judged while they are decoded by the rules of RFC 9113 section 8: what is malformed never
 * reaches whoever decides or forwards. There is one for all connections, filled anew for each message: it is valid
 * until the callback that it was given to returns.
 */
import { FIELD_VALUE, HTAB, SPACE, TOKEN } from "../byte-classes.ts";
import { FIELD } from "../field-names.ts";
import type { FieldRanges } from "../field-ranges.ts";
import { isAuthority } from "../http1/request-target.ts";
import { METHOD, METHOD_NAMES } from "../methods.ts";
import { type ArenaField, FieldArena } from "./field-arena.ts";
import { isSameText, judgeRequest, type PseudoFields, statusAt } from "./head-rules.ts";
import { ENTRY_OVERHEAD } from "./hpack/dynamic-table.ts";
import { MAX_FIELD_LIST, MAX_FIELDS } from "./limits.ts";

export type HeadKind = "request" | "response" | "trailers";

const FIRST_PSEUDO = FIELD[":authority"];
const LAST_PSEUDO = FIELD[":protocol"];
const PSEUDO_IDS = LAST_PSEUDO + 1;
const RESPONSE_PSEUDO = 1 << FIELD[":status"];
const REQUEST_PSEUDO =
  maskFrom(FIRST_PSEUDO, LAST_PSEUDO) & ~RESPONSE_PSEUDO & ~(1 << FIELD[":protocol"]);
const CONNECTION_SPECIFIC = 1;
const NOT_IN_TRAILERS = 2;
/** By id. */
const RULES: Uint8Array = new Uint8Array(256);
/** RFC 9113 section 8.2.2. */
for (const name of [
  "connection",
  "proxy-connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
] as const) {
  RULES[FIELD[name]] = CONNECTION_SPECIFIC;
}
/** They say where a message ends, where it goes or who sent it, after all that was decided (RFC 9110 section 6.5.1). */
for (const name of [
  "host",
  "content-length",
  "te",
  "trailer",
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "expect",
  "max-forwards",
  "content-encoding",
  "content-type",
  "content-range",
  "forwarded",
  "x-forwarded-client-cert",
] as const) {
  RULES[FIELD[name]] = NOT_IN_TRAILERS;
}
/** Lower case only (RFC 9113 section 8.2.1). */
const NAME: Uint8Array = TOKEN.map((is, octet) => (octet >= 0x41 && octet <= 0x5a ? 0 : is));
/** So that it is exact as a number. */
const MAX_LENGTH_DIGITS = 15;
const COLON = 0x3a;
const ZERO = 0x30;

export class ReceivedHead implements FieldRanges, PseudoFields {
  readonly arena: FieldArena = new FieldArena();
  readonly bytes: Buffer = this.arena.bytes;
  /** Of regular fields; pseudo-fields are not among them. */
  count = 0;
  readonly ranges: Uint32Array = new Uint32Array(4 * MAX_FIELDS);
  readonly ids: Uint8Array = new Uint8Array(MAX_FIELDS);
  /** One a field: 1 when it must go on as never indexed. */
  readonly sensitive: Uint8Array = new Uint8Array(MAX_FIELDS);
  /** Why the message is malformed; "" when it is not. */
  problem = "";
  isTooLarge = false;
  /** -1 when there is no such field. */
  contentLength = -1;
  /** 0 but for responses. */
  status = 0;
  /** See `METHOD`. */
  methodId: number = METHOD.other;

  #kind: HeadKind = "request";
  #size = 0;
  #seen = 0;
  #host = -1;
  /** Of pseudo-fields, by id. */
  readonly starts: Uint32Array = new Uint32Array(PSEUDO_IDS);
  readonly ends: Uint32Array = new Uint32Array(PSEUDO_IDS);

  get method(): string {
    return METHOD_NAMES[this.methodId] || this.#pseudo(FIELD[":method"]);
  }

  /** With its query; "" of CONNECT. */
  get path(): string {
    return this.#pseudo(FIELD[":path"]);
  }

  /** Of `:authority`, else of `host`: when both came, they are the same (QK-6). */
  get authority(): string {
    return this.bytes.toString("latin1", this.authorityStart, this.authorityEnd);
  }

  /** "http", "https", or "" of CONNECT. It is what the peer says: nothing may be decided by it. */
  get scheme(): string {
    return this.#pseudo(FIELD[":scheme"]);
  }

  get authorityStart(): number {
    const start =
      this.#host < 0 ? this.starts[FIELD[":authority"]] : this.ranges[4 * this.#host + 2];
    return start ?? 0;
  }

  get authorityEnd(): number {
    const end = this.#host < 0 ? this.ends[FIELD[":authority"]] : this.ranges[4 * this.#host + 3];
    return end ?? 0;
  }

  get pathStart(): number {
    return this.starts[FIELD[":path"]] ?? 0;
  }

  get pathEnd(): number {
    return this.ends[FIELD[":path"]] ?? 0;
  }

  /** Whether the pseudo-field of this id came. */
  has(id: number): boolean {
    return (this.#seen & (1 << id)) !== 0;
  }

  begin(kind: HeadKind): void {
    this.#kind = kind;
    this.count = 0;
    this.problem = "";
    this.isTooLarge = false;
    this.contentLength = -1;
    this.status = 0;
    this.methodId = METHOD.other;
    this.#size = 0;
    this.#seen = 0;
    this.#host = -1;
    // A native `fill` costs more for so few.
    for (let id = FIRST_PSEUDO; id <= LAST_PSEUDO; id++) this.starts[id] = this.ends[id] = 0;
  }

  accept(field: ArenaField): void {
    this.skip(field.nameEnd - field.nameStart + field.valueEnd - field.valueStart + ENTRY_OVERHEAD);
    if (this.isTooLarge || this.problem !== "") return;
    if (field.trusted !== "all") this.#checkText(field);
    if (this.problem !== "") return;
    if (field.id >= FIRST_PSEUDO && field.id <= LAST_PSEUDO) this.#takePseudo(field);
    else this.#take(field);
  }

  skip(size: number): void {
    this.#size += size;
    if (this.#size > MAX_FIELD_LIST) this.isTooLarge = true;
  }

  /** Of all fields, counted as in RFC 9113 section 6.5.2. */
  get size(): number {
    return this.#size;
  }

  /** To be called after the last field: sets `problem` when something is missing or at odds. */
  finish(): void {
    if (this.problem !== "") return;
    if (this.#kind === "response") this.#finishStatus();
    else if (this.#kind === "request") this.#finishRequest();
  }

  #finishStatus(): void {
    const id = FIELD[":status"];
    this.status = statusAt(this.bytes, this.starts[id] ?? 0, this.ends[id] ?? 0);
    if (this.status === 0) this.problem = "no :status, or one that is none";
  }

  #finishRequest(): void {
    const { problem, method } = judgeRequest(this);
    this.problem = problem;
    this.methodId = method;
    if (problem === "") this.#finishAuthority();
    const hasNoContent = method === METHOD.CONNECT || method === METHOD.TRACE;
    if (hasNoContent && this.contentLength > 0) this.problem = "content where there can be none";
  }

  #finishAuthority(): void {
    const { bytes, authorityStart, authorityEnd } = this;
    const id = FIELD[":authority"];
    if (!this.has(id)) {
      const isValid = this.#host >= 0 && isAuthority(bytes, authorityStart, authorityEnd);
      if (!isValid) this.problem = "neither :authority nor a valid host field";
    } else if (this.#host >= 0) {
      const one = { start: this.starts[id] ?? 0, end: this.ends[id] ?? 0 };
      const isSame = isSameText(bytes, one, { start: authorityStart, end: authorityEnd });
      if (!isSame) this.problem = "a host field other than :authority";
    }
  }

  #pseudo(id: number): string {
    return this.bytes.toString("latin1", this.starts[id], this.ends[id]);
  }

  #takePseudo({ id, valueStart, valueEnd }: ArenaField): void {
    const allowed = this.#kind === "request" ? REQUEST_PSEUDO : RESPONSE_PSEUDO;
    if (this.#kind === "trailers" || (allowed & (1 << id)) === 0) {
      this.problem = "a pseudo-field that does not belong here";
    } else if (this.count > 0) this.problem = "a pseudo-field after a regular one";
    else if (this.has(id)) this.problem = "a pseudo-field twice";
    this.#seen |= 1 << id;
    this.starts[id] = valueStart;
    this.ends[id] = valueEnd;
  }

  #take(field: ArenaField): void {
    const { id, valueStart, valueEnd } = field;
    const index = this.count;
    if (index === MAX_FIELDS) {
      this.isTooLarge = true;
      return;
    }
    if (id !== 0) this.#judge(field);
    this.ranges[4 * index] = field.nameStart;
    this.ranges[4 * index + 1] = field.nameEnd;
    this.ranges[4 * index + 2] = valueStart;
    this.ranges[4 * index + 3] = valueEnd;
    this.ids[index] = id;
    this.sensitive[index] = field.sensitive ? 1 : 0;
    this.count = index + 1;
  }

  #judge({ id, valueStart, valueEnd }: ArenaField): void {
    const rule = RULES[id];
    if (rule === 0) return;
    if (rule === CONNECTION_SPECIFIC) this.problem = "a connection-specific field";
    else if (this.#kind === "trailers") this.problem = "a field that may not be in trailers";
    else if (id === FIELD["content-length"]) this.#takeLength(valueStart, valueEnd);
    else if (id === FIELD.te) {
      const value = this.bytes.toString("latin1", valueStart, valueEnd);
      if (value !== "trailers") this.problem = "te other than trailers";
    } else if (id === FIELD.host && this.#kind === "request") {
      if (this.#host >= 0) this.problem = "several host fields";
      this.#host = this.count;
    }
  }

  #takeLength(start: number, end: number): void {
    if (this.contentLength >= 0) this.problem = "several content-length fields";
    const digits = end - start;
    if (digits === 0 || digits > MAX_LENGTH_DIGITS || (digits > 1 && this.bytes[start] === ZERO)) {
      this.problem = "a content-length that is empty, too large or begins with 0";
    }
    let length = 0;
    for (let at = start; at < end; at++) {
      const digit = (this.bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) this.problem = "a content-length that is no number";
      length = length * 10 + digit;
    }
    this.contentLength = length;
  }

  #checkText(field: ArenaField): void {
    if (field.trusted === "nothing") this.#checkName(field);
    const { bytes } = this;
    const { valueStart, valueEnd } = field;
    if (valueStart === valueEnd) return;
    for (let at = valueStart; at < valueEnd; at++) {
      if (FIELD_VALUE[bytes[at] ?? 0] === 0) this.problem = "a control character in a field value";
    }
    if (isSpace(bytes[valueStart]) || isSpace(bytes[valueEnd - 1])) {
      this.problem = "a field value that begins or ends with a space";
    }
  }

  #checkName({ nameStart, nameEnd, id }: ArenaField): void {
    const { bytes } = this;
    const isPseudo = bytes[nameStart] === COLON && id !== FIELD.other;
    if (nameStart === nameEnd) this.problem = "an empty field name";
    for (let at = isPseudo ? nameStart + 1 : nameStart; at < nameEnd; at++) {
      if (NAME[bytes[at] ?? 0] === 0) this.problem = "a field name that is no token in lower case";
    }
  }
}

function isSpace(octet: number | undefined): boolean {
  return octet === SPACE || octet === HTAB;
}

/** Of the bits from `first` to `last`. */
function maskFrom(first: number, last: number): number {
  return (2 << last) - (1 << first);
}
