/** The head of a request, read in place. One of these serves message after message; it makes no object for any of them. */
import { CR, LF, METHOD_NAME, SPACE, TARGET } from "../byte-classes.ts";
import { FIELD } from "../field-names.ts";
import { METHOD, METHOD_NAMES, methodIdAt } from "../methods.ts";
import { isWord } from "./connection-options.ts";
import { INCOMPLETE, lineProblem } from "./field-section.ts";
import { FRAMING } from "./framing.ts";
import { MessageHead } from "./message-head.ts";
import { type Http1Problem, PROBLEM } from "./problem.ts";
import { isAuthority, isHostAndPort, schemeLength } from "./request-target.ts";
import { HTTP_VERSION_BYTES, minorVersionAt, versionProblem } from "./version.ts";

/** The longest target that is taken; longer ones are answered with 414. */
export const MAX_TARGET_BYTES = 16_384;
const MAX_METHOD_BYTES = 32;

/** How the target is written (RFC 9112 section 3.2). */
export const TARGET_FORM = { origin: 0, absolute: 1, authority: 2, asterisk: 3 } as const;

export const EXPECTATION = {
  none: 0,
  /** `100-continue` in HTTP/1.1; in HTTP/1.0 it means nothing (RFC 9110 section 10.1.1). */
  continue: 1,
  /** To be answered with 417, once policy has let the request in. */
  other: 2,
} as const;

export class RequestHead extends MessageHead {
  /** One of `METHOD`. */
  method: number = METHOD.other;
  methodEnd = 0;
  targetStart = 0;
  targetEnd = 0;
  /** One of `TARGET_FORM`. */
  form: number = TARGET_FORM.origin;
  /**
   * Where the request goes: the absolute form's own authority, else the Host field (AP-109, QK-6), or the target of a
   * CONNECT. Start and end are the same if it is empty.
   */
  authorityStart = 0;
  authorityEnd = 0;
  /** False only in HTTP/1.0 (QK-12). */
  hasAuthority = false;
  /** The target from its path on, with its query. In absolute form it may be empty or begin with "?": see `pathText`. */
  pathStart = 0;
  pathEnd = 0;
  /** One of `EXPECTATION`. */
  expectation: number = EXPECTATION.none;

  /** How the body ends: one of `FRAMING`. None, if the head says nothing of a body (RFC 9112 section 6.3). */
  get framing(): number {
    if (this.isChunked) return FRAMING.chunked;
    return this.contentLength > 0 ? FRAMING.length : FRAMING.none;
  }

  methodText(): string {
    return METHOD_NAMES[this.method] || this.bytes.toString("latin1", this.start, this.methodEnd);
  }

  /** As received; the empty string if there is none. */
  authorityText(): string {
    return this.bytes.toString("latin1", this.authorityStart, this.authorityEnd);
  }

  /** The path with its query, as latin1; "/" goes before what an absolute form leaves out; empty for CONNECT. */
  pathText(): string {
    const text = this.bytes.toString("latin1", this.pathStart, this.pathEnd);
    return this.form === TARGET_FORM.absolute && !text.startsWith("/") ? `/${text}` : text;
  }

  protected scanStartLine(to: number): number {
    const { bytes } = this;
    const begin = this.#skipBlankLine(to);
    if (begin < 0) return begin === NOT_YET ? INCOMPLETE : this.refuse(PROBLEM.blankLines);
    let at = begin;
    while (at < to && METHOD_NAME[bytes[at] ?? 0] === 1) at++;
    if (at - begin > MAX_METHOD_BYTES) return this.refuse(PROBLEM.invalidMethod);
    if (at === to) return INCOMPLETE;
    if (bytes[at] !== SPACE || at === begin) return this.refuse(methodProblem(bytes[at]));
    this.methodEnd = at;
    this.targetStart = at + 1;
    at = Math.max(this.targetStart, this.checked);
    while (at < to && TARGET[bytes[at] ?? 0] === 1) at++;
    this.checked = at;
    this.targetEnd = at;
    if (at - this.targetStart > MAX_TARGET_BYTES) return this.refuse(PROBLEM.requestLineTooLong);
    if (at === to) return INCOMPLETE;
    if (bytes[at] !== SPACE || at === this.targetStart)
      return this.refuse(targetProblem(bytes[at]));
    return this.#scanVersion(at + 1, to);
  }

  protected check(): Http1Problem {
    this.method = methodIdAt(this.bytes, this.start, this.methodEnd);
    this.hasAuthority = false;
    this.expectation = EXPECTATION.none;
    let problem = this.#readHost();
    if (problem === PROBLEM.none) problem = this.#readTarget();
    if (problem === PROBLEM.none && this.#hasUnexpectedBody()) return PROBLEM.unexpectedBody;
    if ((this.seen & (1 << FIELD.expect)) !== 0) this.#readExpectation();
    return problem;
  }

  protected shiftLine(by: number): void {
    this.methodEnd += by;
    this.targetStart += by;
    this.targetEnd += by;
  }

  /** One is left over by old clients after a body (RFC 9112 section 2.2). */
  #skipBlankLine(to: number): number {
    const { bytes, start } = this;
    if (start === to) return NOT_YET;
    if (bytes[start] !== CR) return start;
    if (start + 1 === to) return NOT_YET;
    if (bytes[start + 1] !== LF) return TOO_MANY;
    if (start + 2 === to) return NOT_YET;
    if (bytes[start + 2] === CR) return TOO_MANY;
    this.start = start + 2;
    return this.start;
  }

  #scanVersion(at: number, to: number): number {
    if (to - at < HTTP_VERSION_BYTES + 2) return INCOMPLETE;
    const { bytes } = this;
    const minor = minorVersionAt(bytes, at);
    const end = at + HTTP_VERSION_BYTES;
    if (minor < 0 || bytes[end] !== CR || bytes[end + 1] !== LF) {
      return this.refuse(versionProblem(bytes, at));
    }
    this.minorVersion = minor === 0 ? 0 : 1;
    return end + 2;
  }

  #readHost(): Http1Problem {
    const { ids, ranges } = this;
    for (let index = 0; index < this.count; index++) {
      if (ids[index] !== FIELD.host) continue;
      if (this.hasAuthority) return PROBLEM.severalHosts;
      this.#goTo(ranges[4 * index + 2] ?? 0, ranges[4 * index + 3] ?? 0);
    }
    if (!this.hasAuthority) return this.minorVersion === 1 ? PROBLEM.noHost : PROBLEM.none;
    const { authorityStart: start, authorityEnd: end } = this;
    return start === end || isAuthority(this.bytes, start, end)
      ? PROBLEM.none
      : PROBLEM.invalidHost;
  }

  #readTarget(): Http1Problem {
    const { bytes, targetStart: start, targetEnd: end } = this;
    this.pathStart = start;
    this.pathEnd = end;
    if (this.method === METHOD.CONNECT) {
      this.form = TARGET_FORM.authority;
      this.pathStart = end;
      this.#goTo(start, end);
      return isHostAndPort(bytes, start, end) ? PROBLEM.none : PROBLEM.targetForm;
    }
    if (bytes[start] === SLASH) {
      this.form = TARGET_FORM.origin;
      return PROBLEM.none;
    }
    if (bytes[start] === ASTERISK && end - start === 1) {
      this.form = TARGET_FORM.asterisk;
      return this.method === METHOD.OPTIONS ? PROBLEM.none : PROBLEM.targetForm;
    }
    return this.#readAbsolute(start, end);
  }

  #readAbsolute(start: number, end: number): Http1Problem {
    const { bytes } = this;
    const authority = start + schemeLength(bytes, start, end);
    let at = authority;
    while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION_MARK) at++;
    this.form = TARGET_FORM.absolute;
    this.pathStart = at;
    this.#goTo(authority, at);
    const isValid = authority > start && isAuthority(bytes, authority, at);
    return isValid ? PROBLEM.none : PROBLEM.targetForm;
  }

  #goTo(start: number, end: number): void {
    this.hasAuthority = true;
    this.authorityStart = start;
    this.authorityEnd = end;
  }

  /** What follows a CONNECT are the tunnel's bytes; TRACE has no content (RFC 9110 sections 9.3.6 and 9.3.8). */
  #hasUnexpectedBody(): boolean {
    const { method } = this;
    if (method !== METHOD.CONNECT && method !== METHOD.TRACE) return false;
    return this.isChunked || this.contentLength > 0;
  }

  #readExpectation(): void {
    const { bytes, ids, ranges } = this;
    for (let index = 0; index < this.count; index++) {
      if (ids[index] !== FIELD.expect) continue;
      const value = { start: ranges[4 * index + 2] ?? 0, end: ranges[4 * index + 3] ?? 0 };
      if (!isWord(bytes, value, CONTINUE)) this.expectation = EXPECTATION.other;
      else if (this.expectation === EXPECTATION.none && this.minorVersion === 1) {
        this.expectation = EXPECTATION.continue;
      }
    }
  }
}

const NOT_YET = -1;
const TOO_MANY = -2;
const SLASH = 47;
const ASTERISK = 42;
const QUESTION_MARK = 63;
const HASH = 35;
const CONTINUE = Buffer.from("100-continue");

function methodProblem(byte: number | undefined): Http1Problem {
  return byte === LF ? PROBLEM.bareLineFeed : PROBLEM.invalidMethod;
}

function targetProblem(byte: number | undefined): Http1Problem {
  if (byte === HASH) return PROBLEM.fragment;
  if (byte === CR) return PROBLEM.noVersion;
  const problem = lineProblem(byte);
  return problem === PROBLEM.bareLineFeed ? problem : PROBLEM.invalidTarget;
}
