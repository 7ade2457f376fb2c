/** What is asked of a sidecar's administration, and what it answers: the same over TCP and over its Unix socket. */

export interface AdminRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  /** "" where none was sent. */
  readonly host: string;
}

export interface AdminPage {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** The methods that the path knows, of an answer with 405. */
  readonly allow?: string;
}

export function textPage(status: number, body: string): AdminPage {
  return { status, contentType: "text/plain; charset=utf-8", body };
}

export function jsonPage(value: unknown): AdminPage {
  return { status: 200, contentType: "application/json", body: `${JSON.stringify(value)}\n` };
}

/** @param allow the method that the path knows */
export function wrongMethodPage(allow: "GET" | "POST", because: string): AdminPage {
  return { ...textPage(405, `${because}\n`), allow };
}
