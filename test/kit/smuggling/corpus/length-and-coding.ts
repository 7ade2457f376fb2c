/** Two framings in one head: whoever believes the other one finds another end (RFC 9112 section 6.1, QK-16). */
import {
  CHUNKED,
  casesOf,
  chunk,
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

const RFC = "RFC 9112 6.1, QK-16";
const DESYNC = "HTTP Desync Attacks (2019)";
/** Ends at once if read as chunks. */
const EMPTY_THEN = (hidden: string): string => `${LAST_CHUNK}${hidden}`;
const both = (body: string, length: number = body.length): string =>
  post(`Content-Length: ${length}\r\n${CHUNKED}`, body);
const bothTurned = (body: string, length: number = body.length): string =>
  post(`${CHUNKED}Content-Length: ${length}\r\n`, body);

const CL_TE: readonly Row[] = [
  ["the length covers a hidden request", RFC, both(EMPTY_THEN(HIDDEN))],
  ["the same, coding first", RFC, bothTurned(EMPTY_THEN(HIDDEN))],
  ["a stowaway that no policy forbids", RFC, both(EMPTY_THEN(STOWAWAY))],
  ["the head of the next request is swallowed", DESYNC, both(EMPTY_THEN(SWALLOWING))],
  ["one byte for the next request", DESYNC, both(EMPTY_THEN("G"))],
  ["the hidden request comes later", DESYNC, both(LAST_CHUNK, 5 + HIDDEN.length), PAUSE, HIDDEN],
  ["a chunk before it", DESYNC, both(chunk("q=1") + EMPTY_THEN(HIDDEN))],
  [
    "a body of a PUT",
    RFC,
    `${head("PUT /put", `${CHUNKED}${lengthOf(EMPTY_THEN(HIDDEN))}`)}\r\n${EMPTY_THEN(HIDDEN)}`,
  ],
  [
    "a body of a GET",
    RFC,
    `${head("GET /get", `${CHUNKED}${lengthOf(EMPTY_THEN(HIDDEN))}`)}\r\n${EMPTY_THEN(HIDDEN)}`,
  ],
  [
    "a body of a HEAD",
    RFC,
    `${head("HEAD /head", `${CHUNKED}${lengthOf(EMPTY_THEN(HIDDEN))}`)}\r\n${EMPTY_THEN(HIDDEN)}`,
  ],
  [
    "a body of a DELETE",
    RFC,
    `${head("DELETE /gone", `${CHUNKED}${lengthOf(EMPTY_THEN(HIDDEN))}`)}\r\n${EMPTY_THEN(HIDDEN)}`,
  ],
  [
    "a body of an OPTIONS",
    RFC,
    `${head("OPTIONS /get", `${CHUNKED}${lengthOf(EMPTY_THEN(HIDDEN))}`)}\r\n${EMPTY_THEN(HIDDEN)}`,
  ],
  [
    "fields between both",
    RFC,
    post(`${lengthOf(EMPTY_THEN(HIDDEN))}Accept: */*\r\nX-A: b\r\n${CHUNKED}`, EMPTY_THEN(HIDDEN)),
  ],
  [
    "the connection is to close",
    "RFC 9112 6.3",
    post(`Connection: close\r\n${lengthOf(EMPTY_THEN(HIDDEN))}${CHUNKED}`, EMPTY_THEN(HIDDEN)),
  ],
  [
    "the coding is nominated as hop-by-hop",
    "RFC 9110 7.6.1",
    post(
      `Connection: transfer-encoding\r\n${lengthOf(EMPTY_THEN(HIDDEN))}${CHUNKED}`,
      EMPTY_THEN(HIDDEN),
    ),
  ],
  [
    "a coding that is not chunked",
    "CVE-2022-1705",
    post(`${lengthOf(HIDDEN)}Transfer-Encoding: identity\r\n`, HIDDEN),
  ],
];

const TE_CL_BODY = `${chunk(HIDDEN)}${LAST_CHUNK}`;
const TE_CL: readonly Row[] = [
  ["the hidden request is a chunk's data", RFC, both(TE_CL_BODY, TE_CL_BODY.indexOf("GET"))],
  ["the same, coding first", RFC, bothTurned(TE_CL_BODY, TE_CL_BODY.indexOf("GET"))],
  ["a length of nothing", RFC, both(TE_CL_BODY, 0)],
  ["a length of the chunk line", DESYNC, both(`5c\r\n${HIDDEN}`, 4)],
  ["a length beyond the chunks", RFC, both(TE_CL_BODY, TE_CL_BODY.length + 40)],
  ["a stowaway in a chunk", RFC, both(`${chunk(STOWAWAY)}${LAST_CHUNK}`, 4)],
  ["the chunks come later", DESYNC, both("", 4), PAUSE, TE_CL_BODY],
  ["a length that is right", "RFC 9112 6.3", both(`${chunk("abc")}${LAST_CHUNK}`)],
  [
    "the length is nominated as hop-by-hop",
    "RFC 9110 7.6.1",
    post(`Connection: content-length\r\nContent-Length: 4\r\n${CHUNKED}`, TE_CL_BODY),
  ],
  [
    "in HTTP/1.0",
    "CVE-2021-33037",
    `POST /post HTTP/1.0\r\nHost: api:8080\r\nContent-Length: 4\r\n${CHUNKED}\r\n${TE_CL_BODY}`,
  ],
  [
    "in HTTP/1.0 to be kept alive",
    "RFC 9112 6.1",
    `POST /post HTTP/1.0\r\nHost: api:8080\r\nConnection: keep-alive\r\nContent-Length: 4\r\n${CHUNKED}\r\n${TE_CL_BODY}`,
  ],
  [
    "coding alone in HTTP/1.0",
    "RFC 9112 6.1",
    `POST /post HTTP/1.0\r\nHost: api:8080\r\nConnection: keep-alive\r\n${CHUNKED}\r\n${TE_CL_BODY}`,
  ],
  [
    "coding alone in HTTP/1.0, ended at once",
    "RFC 9112 6.1",
    `POST /post HTTP/1.0\r\nHost: api:8080\r\nConnection: keep-alive\r\n${CHUNKED}\r\n${LAST_CHUNK}${HIDDEN}`,
  ],
];

const SAME = lengthOf(HIDDEN);
const LENGTHS: readonly Row[] = [
  ["a sign before it", "CVE-2023-40167", post(`Content-Length: +${HIDDEN.length}\r\n`, HIDDEN)],
  ["a negative one", "RFC 9112 6.3", post("Content-Length: -1\r\n", HIDDEN)],
  ["a negative nothing", "RFC 9112 6.3", post("Content-Length: -0\r\n", HIDDEN)],
  [
    "a hexadecimal one",
    "CVE-2022-24761",
    post(`Content-Length: 0x${HIDDEN.length.toString(16)}\r\n`, HIDDEN),
  ],
  ["hexadecimal digits", "RFC 9112 6.3", post("Content-Length: 5e\r\n", HIDDEN)],
  [
    "an octal one to some",
    "HTTP Garden (2024)",
    post("Content-Length: 010\r\n", `12345678${HIDDEN}`),
  ],
  [
    "zeros before it",
    "HTTP Garden (2024)",
    post("Content-Length: 0000000000000000000003\r\n", `abc${HIDDEN}`),
  ],
  ["an empty one", "CVE-2023-40225", post("Content-Length:\r\n", HIDDEN)],
  ["a space for a length", "CVE-2023-40225", post("Content-Length: \r\n", HIDDEN)],
  ["an empty one before a good one", "CVE-2023-40225", post(`Content-Length:\r\n${SAME}`, HIDDEN)],
  ["words behind it", "RFC 9112 6.3", post("Content-Length: 3 bytes\r\n", `abc${HIDDEN}`)],
  ["a space within", "HTTP Garden (2024)", post("Content-Length: 1 0\r\n", `a${HIDDEN}`)],
  ["a tab within", "HTTP Garden (2024)", post("Content-Length: 1\t0\r\n", `a${HIDDEN}`)],
  ["a comma behind it", "RFC 9110 8.6", post("Content-Length: 3,\r\n", `abc${HIDDEN}`)],
  ["an underscore within", "CVE-2022-24761", post("Content-Length: 1_0\r\n", `a${HIDDEN}`)],
  ["an exponent", "HTTP Garden (2024)", post("Content-Length: 1e1\r\n", `a${HIDDEN}`)],
  ["a fraction", "HTTP Garden (2024)", post("Content-Length: 3.0\r\n", `abc${HIDDEN}`)],
  ["quoted", "HTTP Garden (2024)", post('Content-Length: "3"\r\n', `abc${HIDDEN}`)],
  [
    "digits of another script",
    "HTTP Garden (2024)",
    post("Content-Length: \xd9\xa3\r\n", `abc${HIDDEN}`),
  ],
  ["a NUL behind it", "CVE-2021-43797", post("Content-Length: 3\0\r\n", `abc${HIDDEN}`)],
  ["a vertical tab before it", "CVE-2022-42252", post("Content-Length: \x0b3\r\n", `abc${HIDDEN}`)],
  [
    "a no-break space before it",
    "HTTP Garden (2024)",
    post("Content-Length: \xa03\r\n", `abc${HIDDEN}`),
  ],
  ["beyond 32 bits", "RFC 9112 6.3", post("Content-Length: 4294967296\r\n", HIDDEN)],
  ["beyond 64 bits", "RFC 9112 6.3", post("Content-Length: 18446744073709551616\r\n", HIDDEN)],
  [
    "beyond 64 bits by three",
    "RFC 9112 6.3",
    post("Content-Length: 18446744073709551619\r\n", `abc${HIDDEN}`),
  ],
  [
    "beyond what a double counts",
    "RFC 9112 6.3",
    post("Content-Length: 9007199254740993\r\n", HIDDEN),
  ],
  [
    "of four hundred digits",
    "RFC 9112 6.3",
    post(`Content-Length: ${"9".repeat(400)}\r\n`, HIDDEN),
  ],
  ["two that differ", "CVE-2020-10108", post(`Content-Length: 0\r\n${SAME}`, HIDDEN)],
  ["two that differ, turned", "CVE-2019-16792", post(`${SAME}Content-Length: 0\r\n`, HIDDEN)],
  [
    "two that differ, fields between",
    "CVE-2017-7658",
    post(`${SAME}X-A: b\r\nContent-Length: 0\r\n`, HIDDEN),
  ],
  ["two that are alike", "RFC 9112 6.3", post(`${SAME}${SAME}`, HIDDEN)],
  ["a list that differs", "RFC 9112 6.3", post(`Content-Length: 0, ${HIDDEN.length}\r\n`, HIDDEN)],
  [
    "a list that is alike",
    "RFC 9112 6.3",
    post(`Content-Length: ${HIDDEN.length}, ${HIDDEN.length}\r\n`, HIDDEN),
  ],
  [
    "two alike but for a zero",
    "CVE-2018-8004",
    post("Content-Length: 3\r\nContent-Length: 03\r\n", `abc${HIDDEN}`),
  ],
  [
    "names in two cases",
    "CVE-2017-7658",
    post("content-length: 0\r\nCONTENT-LENGTH: 3\r\n", `abc${HIDDEN}`),
  ],
];

export const LENGTH_AND_CODING: readonly SmugglingCase[] = [
  ...casesOf("CL.TE", CL_TE),
  ...casesOf("TE.CL", TE_CL),
  ...casesOf("Content-Length", LENGTHS),
];
