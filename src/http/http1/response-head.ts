/** The head of a response, read in place, and how far the response goes, which depends on the request it answers. */
import { CR, FIELD_VALUE, LF, SPACE } from "../byte-classes.ts";
import { UPGRADE } from "./connection-options.ts";
import { INCOMPLETE, lineProblem } from "./field-section.ts";
import { FRAMING } from "./framing.ts";
import { MessageHead, NO_LENGTH } from "./message-head.ts";
import { type Http1Problem, PROBLEM } from "./problem.ts";
import { HTTP_VERSION_BYTES, minorVersionAt } from "./version.ts";

/** What matters of the request that is answered. */
export const ANSWERS = {
  plain: 0,
  head: 1,
  connect: 2,
  /** A request that was sent on with `Upgrade`. */
  upgrade: 3,
} as const;

const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const ZERO = 48;

export class ResponseHead extends MessageHead {
  /** 100 to 599. */
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;

  /** 1xx, but for 101: the answer itself is still to come. */
  get isInterim(): boolean {
    return this.status < 200 && this.status !== SWITCHING_PROTOCOLS;
  }

  /**
   * How the body ends (RFC 9112 section 6.3).
   *
   * @param answers one of `ANSWERS`
   * @returns one of `FRAMING`; -1 if the response cannot be meant so, see `problem`
   */
  framing(answers: number): number {
    const { status } = this;
    const hasBody = this.isChunked || this.contentLength > 0;
    if (status === SWITCHING_PROTOCOLS) {
      if (answers !== ANSWERS.upgrade || this.upgrade === UPGRADE.none) {
        return this.refuse(PROBLEM.unexpectedSwitch);
      }
      return hasBody ? this.refuse(PROBLEM.unexpectedBody) : FRAMING.switched;
    }
    const opensTunnel = answers === ANSWERS.connect && status >= 200 && status < 300;
    if (status < 200 || status === NO_CONTENT || opensTunnel) {
      if (hasBody) return this.refuse(PROBLEM.unexpectedBody);
      return opensTunnel ? FRAMING.switched : FRAMING.none;
    }
    if (answers === ANSWERS.head || status === NOT_MODIFIED) return FRAMING.none;
    if (this.isChunked) return FRAMING.chunked;
    if (this.contentLength === NO_LENGTH) return FRAMING.untilClose;
    return this.contentLength === 0 ? FRAMING.none : FRAMING.length;
  }

  protected scanStartLine(to: number): number {
    const { bytes, start } = this;
    const code = start + HTTP_VERSION_BYTES + 1;
    if (to < code + 4) return INCOMPLETE;
    const minor = minorVersionAt(bytes, start);
    this.status = statusAt(bytes, code);
    if (minor < 0 || bytes[code - 1] !== SPACE || this.status < 0) {
      return this.refuse(PROBLEM.invalidStatusLine);
    }
    this.minorVersion = minor === 0 ? 0 : 1;
    return this.#scanReason(code + 3, to);
  }

  protected check(): Http1Problem {
    return PROBLEM.none;
  }

  protected shiftLine(by: number): void {
    this.reasonStart += by;
    this.reasonEnd += by;
  }

  /** The space before an empty reason may be missing: many servers leave it out, and nothing hangs on it. */
  #scanReason(space: number, to: number): number {
    const { bytes } = this;
    if (bytes[space] !== SPACE && bytes[space] !== CR)
      return this.refuse(PROBLEM.invalidStatusLine);
    this.reasonStart = bytes[space] === SPACE ? space + 1 : space;
    let at = Math.max(this.reasonStart, this.checked);
    while (at < to && FIELD_VALUE[bytes[at] ?? 0] === 1) at++;
    this.checked = at;
    this.reasonEnd = at;
    if (at < to && bytes[at] !== CR) return this.refuse(lineProblem(bytes[at]));
    if (at + 2 > to) return INCOMPLETE;
    return bytes[at + 1] === LF ? at + 2 : this.refuse(PROBLEM.bareCarriageReturn);
  }
}

function statusAt(bytes: Uint8Array, at: number): number {
  const first = digitAt(bytes, at);
  const second = digitAt(bytes, at + 1);
  const third = digitAt(bytes, at + 2);
  const isStatus = first >= 1 && first <= 5 && second >= 0 && third >= 0;
  return isStatus ? first * 100 + second * 10 + third : -1;
}

function digitAt(bytes: Uint8Array, at: number): number {
  const digit = (bytes[at] ?? 0) - ZERO;
  return digit <= 9 ? digit : -1;
}
