/** What one attack consists of. The bytes are data: who sends them, and what becomes of them, is told elsewhere. */

/** Bytes as latin1, or what happens between them. "end": the client sends nothing more, but still listens. */
export type Piece = string | { readonly pauseMs: number } | "end";

export const END: Piece = "end";

export interface SmugglingCase {
  readonly name: string;
  /** Such as `CL.TE`: the table counts by it. */
  readonly class: string;
  /** A QK rule, a section of an RFC, a CVE, or the published corpus it is modelled on. */
  readonly source: string;
  readonly pieces: readonly Piece[];
}

export type Row = readonly [name: string, source: string, ...pieces: readonly Piece[]];

export function casesOf(className: string, rows: readonly Row[]): readonly SmugglingCase[] {
  return rows.map(([name, source, ...pieces]) => ({ name, class: className, source, pieces }));
}

/** All bytes of a case, as one text. */
export function bytesOf({ pieces }: SmugglingCase): string {
  return pieces.filter((piece) => typeof piece === "string" && piece !== END).join("");
}

export const PAUSE: Piece = { pauseMs: 15 };

/** Forbidden by path and by header: no form of it may reach the application where a policy stands in the way. */
export const FORBIDDEN_PATH = "/admin";
export const FORBIDDEN_HEADER = "x-blocked";
/** No caller may say for whom it speaks. */
export const FORGED_CALLER = "URI=spiffe://forged/sa/root";

export const HOST = "api:8080";
const HOST_LINE = `Host: ${HOST}\r\n`;

/** A head without its blank line: a method and target, then lines that have their ends. */
export function head(start: string, lines: string = ""): string {
  return `${start} HTTP/1.1\r\n${HOST_LINE}${lines}`;
}

export function get(lines: string, target: string = "/get"): string {
  return `${head(`GET ${target}`, lines)}\r\n`;
}

/** @param body as it stands on the wire */
export function post(lines: string, body: string = "", target: string = "/post"): string {
  return `${head(`POST ${target}`, lines)}\r\n${body}`;
}

export const CHUNKED = "Transfer-Encoding: chunked\r\n";
export const LAST_CHUNK = "0\r\n\r\n";

export function lengthOf(body: string): string {
  return `Content-Length: ${body.length}\r\n`;
}

export function chunk(data: string): string {
  return `${data.length.toString(16)}\r\n${data}\r\n`;
}

export function chunked(body: string, lines: string = ""): string {
  return post(`${CHUNKED}${lines}`, body);
}

/** What an attacker would like to be read as a request. */
export const HIDDEN: string = `GET ${FORBIDDEN_PATH}/hidden HTTP/1.1\r\n${HOST_LINE}X-Blocked: yes\r\n\r\n`;
/** The same, forbidden by nobody: it tells boundaries apart where no policy stands. */
export const STOWAWAY: string = `GET /stowaway HTTP/1.1\r\n${HOST_LINE}\r\n`;
/** Takes what follows into a field of its own. */
export const SWALLOWING: string = `GET ${FORBIDDEN_PATH}/swallows HTTP/1.1\r\n${HOST_LINE}X-Swallowed: `;
