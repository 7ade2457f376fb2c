/** Well-formed messages of HTTP/1, as latin1. */
import { METHODS } from "node:http";
import fc from "fast-check";

const token = fc
  .array(fc.constantFrom(..."abcXYZ019!#$%&'*+-.^_`|~"), { minLength: 1, maxLength: 12 })
  .map((letters) => letters.join(""));
/** What a value may hold. */
export const text: fc.Arbitrary<string> = fc
  .array(
    fc.integer({ min: 32, max: 255 }).filter((byte) => byte !== 127),
    { maxLength: 30 },
  )
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
/** Anything, as latin1. */
export const octets: fc.Arbitrary<string> = fc
  .uint8Array({ maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString("latin1"));
const target = fc
  .array(
    fc.integer({ min: 33, max: 126 }).filter((byte) => byte !== 35),
    { maxLength: 30 },
  )
  .map((bytes) => `/${Buffer.from(bytes).toString("latin1")}`);
const space = fc.constantFrom("", " ", "\t", "  \t ");
const field = fc
  .tuple(token, space, text, space)
  .map(([name, before, value, after]) => `z-${name}:${before}${value.trim()}${after}\r\n`);
const fields = fc.array(field, { maxLength: 8 }).map((all) => all.join(""));
const size = (length: number): string => length.toString(16);

const chunks = fc
  .tuple(
    fc.array(octets.filter((one) => one !== "")),
    fields,
    fc.constantFrom("", ";a", ';b="c d"'),
  )
  .map(([parts, trailers, extension]) => {
    const coded = parts.map((part) => `${size(part.length)}${extension}\r\n${part}\r\n`).join("");
    return `Transfer-Encoding: chunked\r\n\r\n${coded}0\r\n${trailers}\r\n`;
  });
const sized = octets.map((body) => `Content-Length: ${body.length}\r\n\r\n${body}`);
const rest = fc.oneof(fc.constant("\r\n"), sized, chunks);

const method = fc.constantFrom(...METHODS.filter((name) => name !== "CONNECT" && name !== "TRACE"));
/** Of any method but CONNECT and TRACE; its fields, beside `Host: a` and its framing, begin with `z-`. */
export const request: fc.Arbitrary<string> = fc
  .tuple(method, target, fields, rest)
  .map(([name, path, more, end]) => `${name} ${path} HTTP/1.1\r\nHost: a\r\n${more}${end}`);
/** With a body, by its length or in chunks. */
export const response: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(200, 206, 404, 500, 599), fields, fc.oneof(sized, chunks))
  .map(([status, more, end]) => `HTTP/1.1 ${status} Reason\r\n${more}${end}`);
