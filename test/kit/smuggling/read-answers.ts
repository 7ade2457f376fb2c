/** What a client got back, answer by answer. */

export interface ClientAnswer {
  readonly status: number;
  /** Which request the application answered; undefined: an answer of the proxy's own. */
  readonly number: number | undefined;
}

export interface ClientReading {
  /** Final ones, in order. */
  readonly answers: readonly ClientAnswer[];
  /** Bytes behind the last whole answer: of one cut short, or of a tunnel. */
  readonly rest: string;
}

/** @param methods of the requests in order: what answers a HEAD has no body */
export function readAnswers(text: string, methods: readonly string[]): ClientReading {
  const answers: ClientAnswer[] = [];
  let at = 0;
  for (;;) {
    const headEnd = text.indexOf("\r\n\r\n", at);
    const [, digits] = /^HTTP\/1\.[01] ([0-9]{3})/.exec(text.slice(at, at + 16)) ?? [];
    if (headEnd < 0 || digits === undefined) return { answers, rest: text.slice(at) };
    const head = text.slice(at, headEnd + 2);
    const status = Number(digits);
    const method = methods[answers.length] ?? "";
    const end = bodyEnd(text, headEnd + 4, { head, status, method });
    if (end > text.length) return { answers, rest: text.slice(at) };
    at = end;
    if (status >= 200 || status === 101) answers.push({ status, number: numberOf(head) });
    if (status === 101 || (method === "CONNECT" && status >= 200 && status < 300)) {
      return { answers, rest: text.slice(at) };
    }
  }
}

function numberOf(head: string): number | undefined {
  const [, number] = /^x-answer: ([0-9]+)/im.exec(head) ?? [];
  return number === undefined ? undefined : Number(number);
}

function bodyEnd(
  text: string,
  at: number,
  {
    head,
    status,
    method,
  }: { readonly head: string; readonly status: number; readonly method: string },
): number {
  if (status < 200 || status === 204 || status === 304 || method === "HEAD") return at;
  if (method === "CONNECT" && status < 300) return at;
  if (/^transfer-encoding: chunked/im.test(head)) {
    const end = text.indexOf("0\r\n\r\n", at);
    return end < 0 ? Number.POSITIVE_INFINITY : end + 5;
  }
  const [, length] = /^content-length: ([0-9]+)/im.exec(head) ?? [];
  return length === undefined ? text.length : at + Number(length);
}
