/** A body that one side does not expect: of methods that have none, of answers that come too soon. */
import { UPSTREAM_PATHS } from "../recording-upstream.ts";
import {
  CHUNKED,
  casesOf,
  chunk,
  END,
  get,
  HIDDEN,
  head,
  LAST_CHUNK,
  lengthOf,
  PAUSE,
  post,
  type Row,
  type SmugglingCase,
  STOWAWAY,
  SWALLOWING,
} from "../smuggling-case.ts";

const BROWSER = "Browser-Powered Desync Attacks (2022)";
const MUST_DIE = "HTTP/1.1 Must Die (2025)";
const TE_ZERO = "TE.0 (2024)";

const withLength = (method: string, body: string, target: string = "/get"): string =>
  `${head(`${method} ${target}`, lengthOf(body))}\r\n${body}`;
const withChunks = (method: string, body: string): string =>
  `${head(`${method} /get`, CHUNKED)}\r\n${chunk(body)}${LAST_CHUNK}`;

const METHODS = ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "M-SEARCH", "PURGE"];
const CL_0: readonly Row[] = [
  ...METHODS.map(
    (method): Row => [`a ${method} with a length`, BROWSER, withLength(method, HIDDEN)],
  ),
  ["a method nobody knows, with a length", BROWSER, withLength("FROBNICATE", HIDDEN)],
  ["a body that swallows the next request", BROWSER, withLength("GET", SWALLOWING)],
  ["a stowaway", BROWSER, withLength("GET", STOWAWAY)],
  ["a POST for what looks static", BROWSER, withLength("POST", HIDDEN, "/favicon.ico")],
  ["a POST for what redirects", BROWSER, withLength("POST", HIDDEN, "/en/../old")],
  ["a POST with a long target", BROWSER, withLength("POST", HIDDEN, `/${"a".repeat(3_000)}`)],
  [
    "the body comes late",
    "pause-based desync (2022)",
    head("POST /post", lengthOf(HIDDEN)),
    "\r\n",
    PAUSE,
    HIDDEN,
  ],
  [
    "the body comes in two parts",
    "pause-based desync (2022)",
    `${head("POST /post", lengthOf(HIDDEN))}\r\n${HIDDEN.slice(0, 9)}`,
    PAUSE,
    HIDDEN.slice(9),
  ],
  [
    "the length is nominated as hop-by-hop",
    "RFC 9110 7.6.1",
    post(`Connection: close, content-length\r\n${lengthOf(HIDDEN)}`, HIDDEN),
  ],
  [
    "and the connection stays",
    "RFC 9110 7.6.1",
    post(`Connection: content-length\r\n${lengthOf(HIDDEN)}`, HIDDEN),
  ],
];

const TE_0: readonly Row[] = [
  ...METHODS.map((method): Row => [`a ${method} with chunks`, TE_ZERO, withChunks(method, HIDDEN)]),
  ["a method nobody knows, with chunks", TE_ZERO, withChunks("FROBNICATE", HIDDEN)],
  ["chunks that begin like a head", TE_ZERO, withChunks("OPTIONS", `${STOWAWAY}${HIDDEN}`)],
  [
    "the coding is nominated as hop-by-hop",
    "RFC 9110 7.6.1",
    post(`Connection: transfer-encoding\r\n${CHUNKED}`, `${chunk(HIDDEN)}${LAST_CHUNK}`),
  ],
];

/** The length is believed behind the proxy only: it then waits for the next request as a body. */
const ZERO_CL: readonly Row[] = [
  ["a space before the colon", MUST_DIE, get("Content-Length : 40\r\n"), PAUSE],
  ["a space before the name", MUST_DIE, get(" Content-Length: 40\r\n"), PAUSE],
  ["a tab before the colon", MUST_DIE, get("Content-Length\t: 40\r\n"), PAUSE],
  ["behind a bare line feed", MUST_DIE, get("X-A: b\nContent-Length: 40\r\n"), PAUSE],
  ["behind a bare carriage return", MUST_DIE, get("X-A: b\rContent-Length: 40\r\n"), PAUSE],
  ["a folded value", MUST_DIE, get("Content-Length:\r\n 40\r\n"), PAUSE],
  ["folded behind another field", MUST_DIE, get("X-A: b\r\n Content-Length: 40\r\n"), PAUSE],
  ["a NUL in the name", MUST_DIE, get("Content\0-Length: 40\r\n"), PAUSE],
  ["an underscore in the name", MUST_DIE, get("Content_Length: 40\r\n"), PAUSE],
  ["a sign", MUST_DIE, get("Content-Length: +40\r\n"), PAUSE],
  ["a length that is true", MUST_DIE, get("Content-Length: 40\r\n"), PAUSE],
  [
    "a device's name for a path",
    MUST_DIE,
    `${head("GET /con", "Content-Length: 40\r\n")}\r\n`,
    PAUSE,
  ],
  [
    "answered at the head",
    MUST_DIE,
    `${head(`GET ${UPSTREAM_PATHS.early}`, "Content-Length: 40\r\n")}\r\n`,
    PAUSE,
  ],
  ["forbidden by a policy", MUST_DIE, `${head("GET /admin", "Content-Length: 40\r\n")}\r\n`, PAUSE],
  [
    "forbidden by a policy, the body there",
    MUST_DIE,
    `${head("POST /admin", lengthOf(HIDDEN))}\r\n${HIDDEN}`,
  ],
  [
    "forbidden by a policy, chunks there",
    MUST_DIE,
    `${head("POST /admin", CHUNKED)}\r\n${chunk(STOWAWAY)}${LAST_CHUNK}`,
  ],
  [
    "forbidden by a header, the body there",
    MUST_DIE,
    `${head("POST /post", `X-Blocked: no\r\n${lengthOf(STOWAWAY)}`)}\r\n${STOWAWAY}`,
  ],
];

const { early, earlyClose, close, drop, hints } = UPSTREAM_PATHS;
const EARLY: readonly Row[] = [
  [
    "an answer before the body",
    BROWSER,
    `${head(`POST ${early}`, lengthOf(HIDDEN))}\r\n`,
    PAUSE,
    HIDDEN,
  ],
  [
    "an answer before the chunks",
    BROWSER,
    `${head(`POST ${early}`, CHUNKED)}\r\n`,
    PAUSE,
    `${chunk(HIDDEN)}${LAST_CHUNK}`,
  ],
  [
    "an answer inside a chunk",
    BROWSER,
    `${head(`POST ${early}`, CHUNKED)}\r\n${(200).toString(16)}\r\nabc`,
    PAUSE,
    HIDDEN,
  ],
  [
    "an answer before a body that never comes",
    BROWSER,
    `${head(`POST ${early}`, "Content-Length: 4000\r\n")}\r\n`,
    PAUSE,
    STOWAWAY,
  ],
  [
    "an answer before a body that is malformed",
    BROWSER,
    `${head(`POST ${early}`, CHUNKED)}\r\n`,
    PAUSE,
    `zz\r\n${HIDDEN}`,
  ],
  [
    "an answer and an end before the body",
    BROWSER,
    `${head(`POST ${earlyClose}`, lengthOf(HIDDEN))}\r\n`,
    PAUSE,
    HIDDEN,
  ],
  [
    "an answer and an end before the chunks",
    BROWSER,
    `${head(`POST ${earlyClose}`, CHUNKED)}\r\n`,
    PAUSE,
    `${chunk(HIDDEN)}${LAST_CHUNK}`,
  ],
  ["an answer and an end", "RFC 9112 9.6", get("", close), STOWAWAY],
  ["an end without an answer", "RFC 9112 9.3.1", get("", drop), STOWAWAY],
  [
    "an end without an answer to a body",
    "RFC 9110 9.2.2",
    `${head(`POST ${drop}`, lengthOf(STOWAWAY))}\r\n${STOWAWAY}`,
  ],
  ["an interim answer nobody asked for", "RFC 9110 15.2", get("", hints), STOWAWAY],
];

const HALF_CLOSED: readonly Row[] = [
  ["behind a request", "RFC 9112 9.6", get(""), END],
  ["behind two", "RFC 9112 9.6", get(""), STOWAWAY, END],
  ["behind a forbidden one", "RFC 9112 9.6", get(""), HIDDEN, END],
  ["inside a head", "RFC 9112 8", "GET /get HTTP/1.1\r\nHost: api:8080\r\n", END],
  ["inside a request line", "RFC 9112 8", "GET /get HT", END],
  ["inside a body", "RFC 9112 8", post("Content-Length: 400\r\n", HIDDEN), END],
  ["inside a chunk", "RFC 9112 8", post(CHUNKED, `ff\r\n${HIDDEN}`), END],
  ["inside a chunk's size", "RFC 9112 8", post(CHUNKED, "5"), END],
  ["behind a chunk", "RFC 9112 8", post(CHUNKED, chunk(HIDDEN)), END],
  ["behind the last chunk's line", "RFC 9112 8", post(CHUNKED, `${chunk(HIDDEN)}0\r\n`), END],
  ["inside a trailer", "RFC 9112 8", post(CHUNKED, `${chunk(HIDDEN)}0\r\nX-T: a\r\n`), END],
  ["at once", "RFC 9112 8", END],
];

export const BODIES_IGNORED: readonly SmugglingCase[] = [
  ...casesOf("CL.0", CL_0),
  ...casesOf("TE.0", TE_0),
  ...casesOf("0.CL", ZERO_CL),
  ...casesOf("early answer", EARLY),
  ...casesOf("early end", HALF_CLOSED),
];
