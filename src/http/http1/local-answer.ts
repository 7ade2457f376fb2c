/** Answers of our own, made once and written many times; only the date in them changes. */
import { STATUS_CODES } from "node:http";
import { FIELD_VALUE, TOKEN } from "../byte-classes.ts";
import { checkText, copy, copyRange, writeText } from "./write-bytes.ts";

export interface LocalAnswerParts {
  /** 200 to 599, but for 204, 205 and 304, whose bodies have rules of their own. */
  readonly status: number;
  /** Plain text, unless `fields` have a `content-type`. */
  readonly body: string;
  /** Name, value, name, value. */
  readonly fields?: readonly string[];
}

export interface WriteAnswer {
  /** Whether the connection ends with it; "keep" says so to clients of HTTP/1.0, too. */
  readonly afterwards: "keep" | "close";
  /** The answer to a HEAD has no body. */
  readonly content: "whole" | "head only";
  /** As in `Date` fields: 29 characters (RFC 9110 section 5.6.7). */
  readonly date: string;
}

const DATE_BYTES = 29;
const NO_DATE = "-".repeat(DATE_BYTES);
const WITH_OTHER_BODIES: readonly number[] = [204, 205, 304];

export class LocalAnswer {
  readonly status: number;
  /** In bytes. */
  readonly bodyBytes: number;
  readonly #kept: Buffer;
  readonly #closing: Buffer;
  readonly #dateStart: number;

  /** @throws RangeError if a field could not be sent as it is */
  constructor({ status, body, fields = [] }: LocalAnswerParts) {
    if (!(status >= 200 && status < 600) || WITH_OTHER_BODIES.includes(status)) {
      throw new RangeError(`no answer of ours has status ${status}`);
    }
    this.status = status;
    this.bodyBytes = Buffer.byteLength(body);
    const start = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nDate: `;
    this.#dateStart = start.length;
    const type = hasContentType(fields) ? "" : "Content-Type: text/plain\r\n";
    const rest = `${type}Content-Length: ${this.bodyBytes}\r\n${linesOf(fields)}`;
    const whole = (option: string): Buffer =>
      Buffer.concat([
        Buffer.from(`${start}${NO_DATE}\r\n${rest}Connection: ${option}\r\n\r\n`, "latin1"),
        Buffer.from(body),
      ]);
    this.#kept = whole("keep-alive");
    this.#closing = whole("close");
  }

  /** The most bytes that `write` can need. */
  get maxBytes(): number {
    return this.#kept.length;
  }

  /** @returns the offset in `target` behind the answer; `target` must have room for `maxBytes` from `at` on */
  write(target: Uint8Array, at: number, { afterwards, content, date }: WriteAnswer): number {
    if (date.length !== DATE_BYTES) throw new RangeError("a date has 29 characters");
    const bytes = afterwards === "keep" ? this.#kept : this.#closing;
    let end = at;
    if (content === "whole") end = copy(bytes, target, at);
    else end = copyRange({ bytes, start: 0, end: bytes.length - this.bodyBytes }, target, at);
    writeText(target, at + this.#dateStart, date);
    return end;
  }
}

function hasContentType(fields: readonly string[]): boolean {
  return fields.some((name, index) => index % 2 === 0 && name.toLowerCase() === "content-type");
}

function linesOf(fields: readonly string[]): string {
  let lines = "";
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [name = "", value = ""] = [fields[index], fields[index + 1]];
    checkText(name, TOKEN);
    checkText(value, FIELD_VALUE);
    lines += `${name}: ${value}\r\n`;
  }
  return lines;
}
