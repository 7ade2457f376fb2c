/**
 * What bytes are to somebody who follows RFC 9112 to the letter. Written from the RFC, slow, and sharing nothing with any
 * codec: it is the judge's own eye, for what clients send and for what arrives behind a proxy.
 */
import { BEYOND, readChunks } from "./strict-chunks.ts";
import {
  type Field,
  type Problem,
  parseFields,
  readLines,
  TOKEN,
  valuesOf,
} from "./strict-fields.ts";

export interface StrictRequest {
  readonly method: string;
  readonly target: string;
  /** `1.1` */
  readonly version: string;
  readonly fields: readonly Field[];
  /** As latin1, without chunk lines. */
  readonly body: string;
  readonly trailers: readonly Field[];
  /** What RFC 9112 lets a recipient accept or refuse: refusing is as good as forwarding. */
  readonly liberties: readonly string[];
  /** Why it must be refused, although everybody agrees where it ends. */
  readonly problem: string | undefined;
}

export type Reading =
  | { readonly kind: "request"; readonly request: StrictRequest; readonly end: number }
  /** More bytes are needed. `request` is there once its head is complete, with as much of the body as came. */
  | { readonly kind: "incomplete"; readonly request?: StrictRequest }
  /** Must not be taken for a request. `request` is there if only the body is at fault, with what came before. */
  | {
      readonly kind: "refused";
      readonly problem: string;
      /** "lines": something has another form than it should. "framing": it has two ends, to two readers. */
      readonly about: "lines" | "framing";
      readonly request?: StrictRequest;
    };

const START_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/(1\\.[0-9])$`);
const AUTHORITY = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(:[0-9]*)?$/;
const ABSOLUTE = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/;
const FRAMING_NAME = /encod|length|upgrade|connect/i;
const CODINGS = new Set(["chunked", "gzip", "x-gzip", "deflate", "compress", "x-compress"]);

/** @param text latin1 */
export function readRequest(text: string, from: number): Reading {
  const start = skipBlankLines(text, from);
  const lines = readLines(text, start);
  if ("problem" in lines) return refused(lines.problem, headText(text, start));
  if (lines.end === undefined) return { kind: "incomplete" };
  const head = parseHead(lines.lines);
  if ("problem" in head) return readLoosely(lines.lines, { end: lines.end, problem: head.problem });
  const framing = framingOf(head);
  if ("problem" in framing) {
    return { kind: "refused", about: "framing", problem: framing.problem };
  }
  const blank = start > from ? ["blank lines first"] : [];
  const liberties = [...head.liberties, ...framing.liberties, ...blank];
  const feeds = text.slice(from, start).includes("\n\n") || text.startsWith("\n", from);
  const problem = feeds ? "bare line feeds first" : targetProblem(head);
  const request = { ...head, body: "", trailers: [], liberties, problem };
  return readBody(text, lines.end, { request, framing });
}

/** Where a request goes: an absolute target's own authority wins (RFC 9112 section 3.2.2). */
export function authorityOf({ target, fields, method }: StrictRequest): string {
  if (method === "CONNECT") return target;
  return ABSOLUTE.exec(target)?.[1] ?? valuesOf(fields, "host")[0] ?? "";
}

interface Head {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly fields: readonly Field[];
  readonly liberties: readonly string[];
}

function refused(problem: string, head: string): Reading {
  return { kind: "refused", about: FRAMING_NAME.test(head) ? "framing" : "lines", problem };
}

/** Up to a blank line of any kind. */
function headText(text: string, from: number): string {
  const [head = ""] = text.slice(from).split(/\r?\n\r?\n/, 1);
  return head;
}

/** A head that is malformed, but says nothing of a body in any form: whoever takes it finds the same end. */
function readLoosely(
  lines: readonly string[],
  { end, problem }: { readonly end: number; readonly problem: string },
): Reading {
  const text = lines.join("\n");
  if (FRAMING_NAME.test(text)) return refused(problem, text);
  const [method = "", target = ""] = (lines[0] ?? "").trim().split(/\s+/);
  const fields = parseFields(lines.slice(1).filter((line) => !("problem" in parseFields([line]))));
  const request: StrictRequest = {
    method,
    target,
    version: "",
    fields: "problem" in fields ? [] : fields,
    body: "",
    trailers: [],
    liberties: [],
    problem,
  };
  return { kind: "request", request, end };
}

interface Framing {
  readonly length: number | "chunked";
  readonly liberties: readonly string[];
}

/** Also those that are none: whoever skips them agrees on what follows. */
function skipBlankLines(text: string, from: number): number {
  let at = from;
  for (;;) {
    if (text.startsWith("\r\n", at)) at += 2;
    else if (text.startsWith("\n", at)) at += 1;
    else return at;
  }
}

function parseHead([startLine = "", ...rest]: readonly string[]): Head | Problem {
  const [, method, target, version] = START_LINE.exec(startLine) ?? [];
  if (method === undefined || target === undefined || version === undefined) {
    return { problem: "a start line that is none" };
  }
  const fields = parseFields(rest);
  if ("problem" in fields) return fields;
  const liberties = [
    ...(/[#\x80-\xff]/.test(target) ? ["a target beyond its grammar"] : []),
    ...(Number(version.slice(2)) > 1 ? ["a higher minor version"] : []),
  ];
  return { method, target, version, fields, liberties };
}

function targetProblem({ method, target, version, fields }: Head): string | undefined {
  const hosts = valuesOf(fields, "host");
  if (hosts.length > 1 || (hosts.length === 0 && version !== "1.0")) return "not one Host";
  if (!AUTHORITY.test(hosts[0] ?? "")) return "a Host that is no authority";
  if (method === "CONNECT") return /^[^/@]+:[0-9]+$/.test(target) ? undefined : "no authority form";
  if (target.startsWith("/") || (target === "*" && method === "OPTIONS")) return undefined;
  const authority = ABSOLUTE.exec(target)?.[1];
  return authority && AUTHORITY.test(authority) ? undefined : "a target of no form";
}

/** RFC 9112 section 6.3. */
function framingOf({ method, version, fields }: Head): Framing | Problem {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  if (method === "CONNECT" && codings.length + lengths.length > 0) {
    return { problem: "CONNECT with a body" };
  }
  if (codings.length === 0) return lengthFraming(lengths);
  if (lengths.length > 0) return { problem: "both framings" };
  if (version === "1.0") return { problem: "a coding in HTTP/1.0" };
  const list = listOf(codings).map((coding) => coding.toLowerCase());
  const isChunkedLast = list.indexOf("chunked") === list.length - 1;
  if (!isChunkedLast || list.some((coding) => !CODINGS.has(coding))) {
    return { problem: "codings that are not known, or not chunked at last" };
  }
  return { length: "chunked", liberties: [] };
}

function lengthFraming(lengths: readonly string[]): Framing | Problem {
  if (lengths.length === 0) return { length: 0, liberties: [] };
  const numbers = lengths.flatMap((value) => value.split(",").map((one) => one.trim()));
  if (numbers.some((one) => !/^[0-9]+$/.test(one))) return { problem: "a length that is none" };
  const [length = 0n, ...others] = numbers.map(BigInt);
  if (others.some((other) => other !== length)) return { problem: "lengths that differ" };
  if (length >= BEYOND) return { problem: "a length beyond reason" };
  const liberties = others.length > 0 ? ["one length several times"] : [];
  return { length: Number(length), liberties };
}

/** Empty members are left out (RFC 9110 section 5.6.1.2). */
function listOf(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(",")).flatMap((one) => one.trim() || []);
}

function readBody(
  text: string,
  at: number,
  { request, framing }: { readonly request: StrictRequest; readonly framing: Framing },
): Reading {
  if (framing.length !== "chunked") {
    const end = at + framing.length;
    const whole = { ...request, body: text.slice(at, end) };
    if (end > text.length) return { kind: "incomplete", request: whole };
    return { kind: "request", request: whole, end };
  }
  const chunks = readChunks(text, at);
  const { body, trailers, malformed } = chunks;
  const whole = { ...request, body, trailers, problem: request.problem ?? malformed };
  if (chunks.problem !== undefined) {
    return { kind: "refused", about: "lines", problem: chunks.problem, request: whole };
  }
  if (chunks.end === undefined) return { kind: "incomplete", request: whole };
  return { kind: "request", request: whole, end: chunks.end };
}
