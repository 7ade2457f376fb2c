/** Header fields that one reader sees and another does not: lines, names, values, and where a request goes. */
import {
  casesOf,
  FORGED_CALLER,
  get,
  HIDDEN,
  LAST_CHUNK,
  type Row,
  type SmugglingCase,
  STOWAWAY,
} from "../smuggling-case.ts";

const GARDEN = "HTTP Garden (2024)";
const hides = (lines: string): string => get(lines) + STOWAWAY;

const FOLDS: readonly Row[] = [
  ["a value over two lines", "RFC 9112 5.2, QK-16", hides("X-A: b\r\n c\r\n")],
  ["by a tab", "RFC 9112 5.2, QK-16", hides("X-A: b\r\n\tc\r\n")],
  ["of nothing but space", "RFC 9112 5.2", hides("X-A: b\r\n \r\n")],
  ["a forbidden header inside", "RFC 9112 5.2", hides("X-A: b\r\n X-Blocked: yes\r\n")],
  ["a forbidden header's value", "RFC 9112 5.2", hides("X-Blocked:\r\n yes\r\n")],
  ["at the first field", "RFC 9112 2.2", `GET /get HTTP/1.1\r\n Host: api:8080\r\n\r\n${STOWAWAY}`],
  [
    "a Host over two lines",
    "RFC 9112 5.2",
    `GET /get HTTP/1.1\r\nHost:\r\n api:8080\r\n\r\n${STOWAWAY}`,
  ],
  [
    "a length over two lines",
    "RFC 9112 5.2",
    `POST /post HTTP/1.1\r\nHost: api:8080\r\nContent-Length: 1\r\n 0\r\n\r\n${STOWAWAY}`,
  ],
  [
    "a request line over two lines",
    "RFC 9112 3",
    `GET /get\r\n HTTP/1.1\r\nHost: api:8080\r\n\r\n${STOWAWAY}`,
  ],
];

const LINES: readonly Row[] = [
  ["line feeds alone", "RFC 9112 2.2, QK-16", `GET /get HTTP/1.1\nHost: api:8080\n\n${STOWAWAY}`],
  [
    "a line feed behind the request line",
    "CVE-2019-16785",
    `GET /get HTTP/1.1\nHost: api:8080\r\n\r\n${STOWAWAY}`,
  ],
  ["a line feed behind a field", "CVE-2022-32214", hides("X-A: b\n")],
  [
    "a line feed for the blank line",
    "CVE-2025-23167",
    `GET /get HTTP/1.1\r\nHost: api:8080\r\n\n${STOWAWAY}`,
  ],
  ["a line feed inside a value", "CVE-2022-32214", hides("X-A: b\nX-Blocked: yes\r\n")],
  ["two line feeds inside a value", "CVE-2022-32214", get(`X-A: b\n\n${HIDDEN}`)],
  ["a carriage return inside a value", "CVE-2023-30589", hides("X-A: b\rX-Blocked: yes\r\n")],
  ["two carriage returns inside a value", "CVE-2023-30589", get(`X-A: b\r\r${HIDDEN}`)],
  ["carriage returns alone", "CVE-2023-30589", `GET /get HTTP/1.1\rHost: api:8080\r\r${STOWAWAY}`],
  ["a carriage return before a name", "CVE-2025-23167", hides("\rX-Blocked: yes\r\n")],
  [
    "a carriage return for the blank line",
    "CVE-2025-23167",
    `GET /get HTTP/1.1\r\nHost: api:8080\r\n\r${STOWAWAY}`,
  ],
  ["a carriage return too many", GARDEN, hides("X-A: b\r\r\n")],
  ["an end that is turned", GARDEN, hides("X-A: b\n\r")],
  ["a line separator of Unicode", GARDEN, hides("X-A: b\xe2\x80\xa8X-Blocked: yes\r\n")],
  ["a next line of ISO 6429", GARDEN, hides("X-A: b\x85X-Blocked: yes\r\n")],
  ["a vertical tab for an end", GARDEN, hides("X-A: b\x0bX-Blocked: yes\r\n")],
  ["a NUL for an end", GARDEN, hides("X-A: b\0X-Blocked: yes\r\n")],
  ["encoded ends in the target", "CWE-93", get("", "/get%0d%0aX-Blocked:%20yes%0d%0a") + STOWAWAY],
  ["encoded ends in a value", "CWE-93", hides("X-A: b%0d%0aX-Blocked: yes\r\n")],
];

const NAMES: readonly Row[] = [
  ["a space before the colon", "CVE-2021-22959", hides("X-Blocked : yes\r\n")],
  ["a tab before the colon", "RFC 9112 5.1", hides("X-Blocked\t: yes\r\n")],
  ["a space inside", "RFC 9110 5.1", hides("X Blocked: yes\r\n")],
  ["a NUL behind", "CVE-2021-43797", hides("X-Blocked\0: yes\r\n")],
  ["a NUL before", "CVE-2021-43797", hides("\0X-Blocked: yes\r\n")],
  ["a control behind", "CVE-2021-43797", hides("X-Blocked\x01: yes\r\n")],
  ["a delete behind", GARDEN, hides("X-Blocked\x7f: yes\r\n")],
  ["bytes beyond ASCII", GARDEN, hides("X-Bl\xf6cked: yes\r\n")],
  ["a Kelvin sign", "RFC 9110 5.1", hides("X-Bloc\xe2\x84\xaaed: yes\r\n")],
  ["an underscore", "QK-8", hides("X_Blocked: yes\r\n")],
  ["upper case", "QK-8", hides("X-BLOCKED: yes\r\n")],
  ["an empty value", "QK-8", hides("X-Blocked:\r\n")],
  ["twice", "QK-7", hides("X-Blocked: no\r\nX-Blocked: yes\r\n")],
  ["no colon", "CVE-2019-20444", hides("X-Blocked\r\n")],
  ["no name", "CVE-2023-25725", hides(": yes\r\n")],
  ["no name, others behind it", "CVE-2023-25725", hides(": a\r\nX-Blocked: yes\r\n")],
  ["a colon of HTTP/2", "RFC 9113 8.3", hides(":path: /admin\r\n")],
  ["an authority of HTTP/2", "RFC 9113 8.3", hides(":authority: other\r\n")],
  ["brackets", "RFC 9110 5.6.2", hides("X-Blocked(a): yes\r\n")],
  ["quotes", "RFC 9110 5.6.2", hides('"X-Blocked": yes\r\n')],
  ["of 300 bytes", "CVE-2021-40346", hides(`${"n".repeat(300)}: yes\r\n`)],
  ["of 256 bytes and one", "CVE-2021-40346", hides(`Content-Length0${"a".repeat(255)}:\r\n`)],
  ["of 64 KiB", "QK-15", hides(`${"n".repeat(65_536)}: yes\r\n`)],
  [
    "nominated by Connection",
    "RFC 9110 7.6.1",
    hides("Connection: x-blocked\r\nX-Blocked: yes\r\n"),
  ],
  ["prototype of all objects", GARDEN, hides("__proto__: x\r\nconstructor: y\r\n")],
];

const VALUES: readonly Row[] = [
  ["a NUL inside", "RFC 9110 5.5", hides("X-A: b\0c\r\n")],
  ["a control inside", "RFC 9110 5.5", hides("X-A: b\x1bc\r\n")],
  ["a delete inside", "RFC 9110 5.5", hides("X-A: b\x7fc\r\n")],
  ["bytes beyond ASCII", "RFC 9110 5.5", hides("X-A: b\xff\xfe\r\n")],
  ["spaces around", "CVE-2019-18802", hides("X-A:  \t b \t \r\n")],
  ["of 70 KiB", "QK-15", hides(`X-A: ${"b".repeat(70_000)}\r\n`)],
  ["of a hundred fields and more", "QK-15", hides("X-A: b\r\n".repeat(150))],
  ["of ten thousand fields", "QK-15", hides("X-A: b\r\n".repeat(10_000))],
  [
    "a forbidden one behind a thousand",
    "QK-15",
    hides(`${"X-A: b\r\n".repeat(1_000)}X-Blocked: yes\r\n`),
  ],
  ["a whole request", "RFC 9112 5", hides(`X-A: ${HIDDEN.split("\r\n")[0] ?? ""}\r\n`)],
  ["chunks", "RFC 9112 5", hides(`X-A: ${LAST_CHUNK.replaceAll("\r\n", "|")}\r\n`)],
  [
    "a caller who is made up",
    "QK-34, OBS-32",
    hides(`X-Forwarded-Client-Cert: ${FORGED_CALLER}\r\n`),
  ],
  [
    "a made up caller, twice",
    "QK-34, OBS-32",
    hides(`X-Forwarded-Client-Cert: a\r\nx-forwarded-client-cert: ${FORGED_CALLER}\r\n`),
  ],
  [
    "a made up caller, a space before the colon",
    "QK-34, OBS-32",
    hides(`X-Forwarded-Client-Cert : ${FORGED_CALLER}\r\n`),
  ],
  [
    "a made up caller, folded",
    "QK-34, OBS-32",
    hides(`X-A: b\r\n X-Forwarded-Client-Cert: ${FORGED_CALLER}\r\n`),
  ],
  [
    "a made up caller, behind a line feed",
    "QK-34, OBS-32",
    hides(`X-A: b\nX-Forwarded-Client-Cert: ${FORGED_CALLER}\r\n`),
  ],
  [
    "a made up caller, nominated",
    "QK-34, OBS-32",
    hides(`Connection: x-forwarded-client-cert\r\nX-Forwarded-Client-Cert: ${FORGED_CALLER}\r\n`),
  ],
];

export const FIELDS: readonly SmugglingCase[] = [
  ...casesOf("folded lines", FOLDS),
  ...casesOf("line ends", LINES),
  ...casesOf("field names", NAMES),
  ...casesOf("field values", VALUES),
];
