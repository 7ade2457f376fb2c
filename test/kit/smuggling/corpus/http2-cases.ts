/**
 * Attacks borne by HTTP/2: what no line could carry comes in a header block, and becomes a line behind a proxy that goes
 * on in HTTP/1. Data only, until the sidecar speaks HTTP/2; nothing counts them. Their bytes are those of `block` in
 * `test/kit/http2-frames.ts`: literals without index or Huffman's code, nothing checked.
 */
import { HIDDEN, HOST } from "../smuggling-case.ts";

export type Http2Field = readonly [name: string, value: string];

export interface Http2Case {
  readonly name: string;
  readonly class: string;
  readonly source: string;
  /** In the order of the block, pseudo-header fields among them. */
  readonly fields: readonly Http2Field[];
  /** Of all DATA frames. */
  readonly data: string;
  readonly trailers: readonly Http2Field[];
}

type Row = readonly [
  name: string,
  source: string,
  fields: readonly Http2Field[],
  rest?: { readonly data?: string; readonly trailers?: readonly Http2Field[] },
];

const SEQUEL = "HTTP/2: The Sequel is Always Worse (2021)";
const RFC = "RFC 9113 8";

const basis = (changes: Readonly<Record<string, string>> = {}): readonly Http2Field[] =>
  Object.entries({
    ":method": "POST",
    ":scheme": "https",
    ":authority": HOST,
    ":path": "/post",
    ...changes,
  });
const also = (...more: readonly Http2Field[]): readonly Http2Field[] => [...basis(), ...more];
const injected = "x\r\nX-Blocked: yes";

const LENGTHS: readonly Row[] = [
  [
    "a length shorter than the data",
    `${SEQUEL}, CVE-2021-21409`,
    also(["content-length", "0"]),
    { data: HIDDEN },
  ],
  [
    "a length longer than the data",
    `${SEQUEL}, RFC 9113 8.1.1`,
    also(["content-length", "500"]),
    { data: "abc" },
  ],
  [
    "two lengths",
    "RFC 9113 8.1.1",
    also(["content-length", "3"], ["content-length", "0"]),
    { data: "abc" },
  ],
  ["a list of lengths", "RFC 9113 8.1.1", also(["content-length", "3, 0"]), { data: "abc" }],
  ["a signed length", "RFC 9110 8.6", also(["content-length", "+3"]), { data: "abc" }],
  ["a length and no data", "RFC 9113 8.1.1", also(["content-length", "3"])],
  [
    "a length of a GET",
    SEQUEL,
    [...basis({ ":method": "GET" }), ["content-length", "0"]],
    { data: HIDDEN },
  ],
];

const CODINGS: readonly Row[] = [
  ["chunked", SEQUEL, also(["transfer-encoding", "chunked"]), { data: `0\r\n\r\n${HIDDEN}` }],
  [
    "chunked, in upper case",
    SEQUEL,
    also(["Transfer-Encoding", "chunked"]),
    { data: `0\r\n\r\n${HIDDEN}` },
  ],
  [
    "chunked, injected by a value",
    SEQUEL,
    also(["x-a", "b\r\nTransfer-Encoding: chunked"]),
    { data: `0\r\n\r\n${HIDDEN}` },
  ],
  [
    "chunked, injected by a name",
    SEQUEL,
    also(["x-a: b\r\ntransfer-encoding", "chunked"]),
    { data: `0\r\n\r\n${HIDDEN}` },
  ],
  [
    "chunked, as a trailer",
    SEQUEL,
    also(),
    { data: `0\r\n\r\n${HIDDEN}`, trailers: [["transfer-encoding", "chunked"]] },
  ],
  ["TE beyond trailers", "RFC 9113 8.2.2", also(["te", "gzip"])],
];

const INJECTIONS: readonly Row[] = [
  ["a line end in a value", SEQUEL, also(["x-a", injected])],
  ["a line feed in a value", SEQUEL, also(["x-a", "x\nX-Blocked: yes"])],
  ["a carriage return in a value", SEQUEL, also(["x-a", "x\rX-Blocked: yes"])],
  ["a NUL in a value", RFC, also(["x-a", "x\0y"])],
  ["a whole request in a value", SEQUEL, also(["x-a", `x\r\n\r\n${HIDDEN}`])],
  ["a line end in a name", SEQUEL, also([`x-a: ${injected}\r\nx-b`, "c"])],
  ["a colon in a name", SEQUEL, also(["x-blocked: yes\r\nx", "y"])],
  ["a space in a name", SEQUEL, also(["x-blocked ", "yes"])],
  ["an upper-case name", "RFC 9113 8.2.1", also(["X-Blocked", "yes"])],
  ["an empty name", "RFC 9113 8.2.1", also(["", "yes"])],
  ["spaces around a value", "RFC 9113 8.2.1", also(["x-blocked", " yes "])],
  ["bytes beyond ASCII in a name", "RFC 9113 8.2.1", also(["x-bl\xf6cked", "yes"])],
  ["a forbidden header", "QK-16", also(["x-blocked", "yes"])],
  [
    "a caller who is made up",
    "QK-34",
    also(["x-forwarded-client-cert", "URI=spiffe://forged/sa/root"]),
  ],
];

const PSEUDO: readonly Row[] = [
  [
    "a request line in the method",
    SEQUEL,
    basis({ ":method": "GET /admin HTTP/1.1\r\nHost: api:8080\r\n\r\nGET" }),
  ],
  ["a space in the method", SEQUEL, basis({ ":method": "GET /admin" })],
  ["an empty method", RFC, basis({ ":method": "" })],
  ["a line end in the path", SEQUEL, basis({ ":path": `/get HTTP/1.1\r\n${injected}` })],
  ["a space in the path", SEQUEL, basis({ ":path": "/get /admin" })],
  ["an empty path", "RFC 9113 8.3.1", basis({ ":path": "" })],
  ["no slash before the path", "RFC 9113 8.3.1", basis({ ":path": "admin" })],
  ["a whole URL for a path", SEQUEL, basis({ ":path": "http://other/admin" })],
  ["a fragment", "CVE-2021-32779, QK-2", basis({ ":path": "/admin#x" })],
  ["a forbidden path", "QK-16", basis({ ":path": "/admin" })],
  ["an encoded forbidden path", "QK-3", basis({ ":path": "/x/%2E%2e/admin" })],
  ["a star for a POST", "RFC 9113 8.3.1", basis({ ":path": "*" })],
  ["a path in the scheme", SEQUEL, basis({ ":scheme": "https://other/admin?" })],
  ["a line end in the scheme", SEQUEL, basis({ ":scheme": `https ${injected}` })],
  ["a line end in the authority", SEQUEL, basis({ ":authority": `${HOST}\r\nX-Blocked: yes` })],
  ["user information in the authority", "RFC 9113 8.3.1", basis({ ":authority": `user@${HOST}` })],
  ["a path in the authority", SEQUEL, basis({ ":authority": `${HOST}/admin` })],
  ["two paths", SEQUEL, also([":path", "/admin"])],
  ["two methods", RFC, also([":method", "DELETE"])],
  ["two authorities", "QK-6", also([":authority", "other"])],
  ["a pseudo-header behind a field", "RFC 9113 8.3", [["x-a", "b"], ...basis()]],
  ["one that nobody knows", "RFC 9113 8.3", also([":admin", "yes"])],
  ["no path", "RFC 9113 8.3.1", basis().filter(([name]) => name !== ":path")],
  ["no scheme", "RFC 9113 8.3.1", basis().filter(([name]) => name !== ":scheme")],
  ["no authority, no Host", "QK-12", basis().filter(([name]) => name !== ":authority")],
  ["another Host", "QK-6", also(["host", "other"])],
  ["two Hosts", "QK-6", also(["host", HOST], ["host", "other"])],
  [
    "a pseudo-header for a trailer",
    "RFC 9113 8.1",
    basis(),
    { data: "a", trailers: [[":path", "/admin"]] },
  ],
];

const CONNECTIONS: readonly Row[] = [
  ...["connection", "keep-alive", "proxy-connection", "upgrade"].map(
    (name): Row => [`the field ${name}`, "RFC 9113 8.2.2", also([name, "upgrade"])],
  ),
  ["a CONNECT with a path", "RFC 9113 8.5", basis({ ":method": "CONNECT", ":path": "/admin" })],
  [
    "a CONNECT",
    "QK-11",
    [
      [":method", "CONNECT"],
      [":authority", "other:443"],
    ],
  ],
  [
    "a WebSocket nobody settled",
    "RFC 8441",
    [...basis({ ":method": "CONNECT" }), [":protocol", "websocket"]],
  ],
  [
    "a forbidden header for a trailer",
    "RFC 9113 8.1",
    basis(),
    { data: "a", trailers: [["x-blocked", "yes"]] },
  ],
  [
    "a length for a trailer",
    "RFC 9110 6.5.1",
    basis(),
    { data: "a", trailers: [["content-length", "0"]] },
  ],
  [
    "an expectation",
    "HTTP/1.1 Must Die (2025)",
    also(["expect", "100-continue"]),
    { data: HIDDEN },
  ],
];

const casesOf = (className: string, rows: readonly Row[]): readonly Http2Case[] =>
  rows.map(([name, source, fields, { data = "", trailers = [] } = {}]) => {
    return { name, class: className, source, fields, data, trailers };
  });

export const HTTP2_CASES: readonly Http2Case[] = [
  ...casesOf("H2.CL", LENGTHS),
  ...casesOf("H2.TE", CODINGS),
  ...casesOf("H2 injection", INJECTIONS),
  ...casesOf("H2 pseudo-headers", PSEUDO),
  ...casesOf("H2 connections", CONNECTIONS),
];
