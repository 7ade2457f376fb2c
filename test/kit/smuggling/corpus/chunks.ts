/** Chunk lines, extensions, ends and trailers that are read in two ways (RFC 9112 section 7.1). */
import {
  casesOf,
  chunk,
  chunked,
  HIDDEN,
  LAST_CHUNK,
  PAUSE,
  type Row,
  type SmugglingCase,
  STOWAWAY,
} from "../smuggling-case.ts";

const GARDEN = "HTTP Garden (2024)";
const FUNKY = "Funky chunks (2025)";
/** Two bytes of data, then the end, then what should not be seen. */
const line = (size: string): string => chunked(`${size}\r\nab\r\n${LAST_CHUNK}${STOWAWAY}`);

const SIZES: readonly Row[] = [
  ["hexadecimal, prefixed", "CVE-2022-24801", line("0x2")],
  ["hexadecimal, prefixed in upper case", "CVE-2022-24801", line("0X2")],
  ["a sign", "CVE-2022-24801", line("+2")],
  ["a negative one", "RFC 9112 7.1", line("-2")],
  ["a negative one that wraps", "CVE-2017-7657", line("-fffffffffffffffe")],
  ["an underscore within", "CVE-2022-24761", line("0_2")],
  ["a space before", GARDEN, line(" 2")],
  ["a tab before", GARDEN, line("\t2")],
  ["a space behind", GARDEN, line("2 ")],
  ["a tab behind", GARDEN, line("2\t")],
  ["a space within", GARDEN, line("0 2")],
  ["a vertical tab behind", GARDEN, line("2\x0b")],
  ["a NUL behind", GARDEN, line("2\0")],
  ["a letter behind", "RFC 9112 7.1", line("2g")],
  ["a comma behind", GARDEN, line("2,")],
  ["a point behind", GARDEN, line("2.")],
  ["quoted", GARDEN, line('"2"')],
  ["empty", "RFC 9112 7.1", line("")],
  ["none but an extension", "RFC 9112 7.1", line(";a")],
  ["a letter that is no digit", "RFC 9112 7.1", line("G")],
  ["digits of another script", GARDEN, line("\xef\xbc\x92")],
  ["zeros before", "RFC 9112 7.1", line("0000000002")],
  ["a thousand zeros before", GARDEN, line(`${"0".repeat(1_000)}2`)],
  ["beyond 32 bits", "CVE-2017-7657", line("100000002")],
  ["beyond 53 bits", "CVE-2017-7657", line("20000000000002")],
  ["beyond 64 bits", "CVE-2017-7657", line("10000000000000002")],
  ["beyond 128 bits", "CVE-2017-7657", line("100000000000000000000000000000002")],
  ["too large by one", FUNKY, chunked(`3\r\nab\r\n${LAST_CHUNK}${STOWAWAY}`)],
  ["too small by one", FUNKY, chunked(`1\r\nab\r\n${LAST_CHUNK}${STOWAWAY}`)],
  ["two zeros for the last", "RFC 9112 7.1", chunked(`${chunk("ab")}00\r\n\r\n${STOWAWAY}`)],
  ["a sign before the last", "CVE-2022-24801", chunked(`${chunk("ab")}+0\r\n\r\n${STOWAWAY}`)],
  ["a minus before the last", "RFC 9112 7.1", chunked(`${chunk("ab")}-0\r\n\r\n${STOWAWAY}`)],
  ["a prefix of the last", "CVE-2022-24801", chunked(`${chunk("ab")}0x0\r\n\r\n${STOWAWAY}`)],
];

const ENDS: readonly Row[] = [
  [
    "a bare line feed behind a size",
    "CVE-2025-22871",
    chunked(`2\nab\r\n${LAST_CHUNK}${STOWAWAY}`),
  ],
  ["a bare line feed behind the data", FUNKY, chunked(`2\r\nab\n${LAST_CHUNK}${STOWAWAY}`)],
  [
    "a bare carriage return behind a size",
    "CVE-2023-30589",
    chunked(`2\rab\r\n${LAST_CHUNK}${STOWAWAY}`),
  ],
  ["a bare carriage return behind the data", FUNKY, chunked(`2\r\nab\r${LAST_CHUNK}${STOWAWAY}`)],
  [
    "two bytes of anything behind the data",
    "CVE-2025-43859",
    chunked(`2\r\nabXX${LAST_CHUNK}${STOWAWAY}`),
  ],
  ["no end behind the data", "CVE-2025-43859", chunked(`2\r\nab${LAST_CHUNK}${STOWAWAY}`)],
  ["an end too many behind the data", FUNKY, chunked(`2\r\nab\r\n\r\n${LAST_CHUNK}${STOWAWAY}`)],
  ["carriage returns behind a size", FUNKY, chunked(`2\r\r\nab\r\n${LAST_CHUNK}${STOWAWAY}`)],
  [
    "a bare line feed behind the last size",
    "CVE-2025-22871",
    chunked(`${chunk("ab")}0\n\r\n${STOWAWAY}`),
  ],
  [
    "a bare line feed at the very end",
    "CVE-2025-23167",
    chunked(`${chunk("ab")}0\r\n\n${STOWAWAY}`),
  ],
  ["two bare line feeds at the end", FUNKY, chunked(`${chunk("ab")}0\n\n${STOWAWAY}`)],
  [
    "a bare carriage return at the end",
    "CVE-2025-23167",
    chunked(`${chunk("ab")}0\r\n\r${STOWAWAY}`),
  ],
  ["no blank line behind the last", "RFC 9112 7.1", chunked(`${chunk("ab")}0\r\n${STOWAWAY}`)],
  ["the last one is missing", "RFC 9112 7.1", chunked(`${chunk("ab")}${STOWAWAY}`)],
  [
    "an end that is split",
    "RFC 9112 7.1",
    chunked(`${chunk("ab")}0\r`),
    PAUSE,
    `\n\r`,
    PAUSE,
    `\n${STOWAWAY}`,
  ],
  [
    "a size that is split",
    "RFC 9112 7.1",
    chunked("1"),
    PAUSE,
    `0\r\n0123456789abcdef\r\n${LAST_CHUNK}${STOWAWAY}`,
  ],
  [
    "an end of data that is split, and wrong",
    FUNKY,
    chunked("2\r\nab\r"),
    PAUSE,
    `X${LAST_CHUNK}${STOWAWAY}`,
  ],
];

const EXTENSIONS: readonly Row[] = [
  ["a good one", "RFC 9112 7.1.1", line("2;a=b")],
  ["a quoted one", "RFC 9112 7.1.1", line('2;a="b;c"')],
  ["spaces around", "RFC 9112 7.1.1", line("2 ; a = b")],
  ["without a name", "CVE-2021-22960", line("2;")],
  ["without a value", "RFC 9112 7.1.1", line("2;a=")],
  ["an open quote", FUNKY, line('2;a="b')],
  ["a bare line feed within", "CVE-2025-55315", chunked(`2;a\nab\r\n${LAST_CHUNK}${STOWAWAY}`)],
  [
    "a bare line feed, another chunk behind it",
    FUNKY,
    chunked(`2;\nxx\r\n50\r\n0\r\n\r\n${HIDDEN}`),
  ],
  [
    "a bare carriage return within",
    "CVE-2025-55315",
    chunked(`2;a\rX\r\nab\r\n${LAST_CHUNK}${STOWAWAY}`),
  ],
  ["a carriage return in quotes", FUNKY, chunked(`2;a="\r"\r\nab\r\n${LAST_CHUNK}${STOWAWAY}`)],
  ["a line feed in quotes", FUNKY, chunked(`2;a="\n"\r\nab\r\n${LAST_CHUNK}${STOWAWAY}`)],
  ["a line end in quotes", FUNKY, chunked(`2;a="\r\nab\r\n0\r\n\r\n${HIDDEN}"\r\n`)],
  ["a NUL within", GARDEN, line("2;a=\0")],
  ["a control within", GARDEN, line("2;a=\x01")],
  ["a delete within", GARDEN, line("2;a=\x7f")],
  ["bytes beyond ASCII within", GARDEN, line("2;a=\xff")],
  ["of 4 KiB", "CVE-2023-39326", line(`2;${"a".repeat(4_096)}`)],
  ["of 64 KiB", "CVE-2023-39326", line(`2;${"a".repeat(65_536)}`)],
  ["on the last chunk", "RFC 9112 7.1.1", chunked(`${chunk("ab")}0;a=b\r\n\r\n${STOWAWAY}`)],
  [
    "a bare line feed on the last chunk",
    "CVE-2025-58056",
    chunked(`${chunk("ab")}0;a\n\r\n${STOWAWAY}`),
  ],
  ["without a semicolon", "CVE-2021-22960", line("2 a=b")],
];

const trailer = (lines: string): string => chunked(`${chunk("ab")}0\r\n${lines}\r\n${STOWAWAY}`);
const TRAILERS: readonly Row[] = [
  ["a good one", "RFC 9112 7.1.2", trailer("X-Sum: 1\r\n")],
  [
    "announced",
    "RFC 9110 6.6.2",
    chunked(`${chunk("ab")}0\r\nX-Sum: 1\r\n\r\n${STOWAWAY}`, "Trailer: X-Sum\r\n"),
  ],
  ["a length", "RFC 9110 6.5.1", trailer("Content-Length: 50\r\n")],
  ["a coding", "RFC 9110 6.5.1", trailer("Transfer-Encoding: chunked\r\n")],
  ["a Host", "RFC 9110 6.5.1", trailer("Host: other\r\n")],
  ["a header that a policy forbids", "RFC 9110 6.5.1", trailer("X-Blocked: yes\r\n")],
  ["authorization", "RFC 9110 6.5.1", trailer("Authorization: Basic YQ==\r\n")],
  ["who calls", "OBS-32", trailer("X-Forwarded-Client-Cert: URI=spiffe://forged/sa/root\r\n")],
  ["a Connection", "RFC 9110 6.5.1", trailer("Connection: close\r\n")],
  ["folded", "RFC 9112 5.2", trailer("X-Sum: 1\r\n 2\r\n")],
  ["folded at once", "RFC 9112 5.2", trailer(" X-Sum: 1\r\n")],
  ["without a colon", "CVE-2023-46589", trailer("X-Sum\r\n")],
  [
    "a request line",
    "CVE-2025-53643",
    trailer("GET /admin/trailer HTTP/1.1\r\nHost: api:8080\r\n"),
  ],
  ["a space before the colon", "RFC 9112 5.1", trailer("X-Sum : 1\r\n")],
  ["a bare line feed", FUNKY, trailer("X-Sum: 1\n")],
  ["a bare carriage return", FUNKY, trailer("X-Sum: 1\rX-B: 2\r\n")],
  ["an empty name", "CVE-2023-25725", trailer(": 1\r\n")],
  ["a NUL", "RFC 9110 5.5", trailer("X-Sum: a\0b\r\n")],
  ["of 16 KiB", "CVE-2023-46589", trailer(`X-Sum: ${"a".repeat(16_384)}\r\n`)],
  ["a thousand of them", "QK-15", trailer("X-Sum: a\r\n".repeat(1_000))],
];

export const CHUNKS: readonly SmugglingCase[] = [
  ...casesOf("chunk size", SIZES),
  ...casesOf("chunk end", ENDS),
  ...casesOf("chunk extension", EXTENSIONS),
  ...casesOf("trailers", TRAILERS),
];
