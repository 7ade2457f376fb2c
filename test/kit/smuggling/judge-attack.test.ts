/** The judge finds what it is there for: each row is something that a proxy might do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeAttack, type Outcome } from "./judge-attack.ts";
import type { Arrival } from "./recording-upstream.ts";
import { chunked, FORGED_CALLER, get, HIDDEN, post, STOWAWAY } from "./smuggling-case.ts";
import { readRequest } from "./strict-message.ts";

const MARKER = get("", "/marker");
const LANE = { policy: "forbids", callerFields: "removed" } as const;

/** What a strict reader makes of the bytes, numbered from 0. */
function arrived(...texts: readonly string[]): readonly Arrival[] {
  return texts.map((text, number) => {
    const reading = readRequest(text, 0);
    if (reading.kind === "request") return { kind: "whole", request: reading.request, number };
    if (reading.kind === "incomplete") return { kind: "cut", request: reading.request, raw: text };
    return { kind: "malformed", problem: reading.problem, raw: text };
  });
}

const answer = (number: number): string =>
  `HTTP/1.1 200 OK\r\nX-Answer: ${number}\r\nContent-Length: 0\r\n\r\n`;
const REFUSAL = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
const FORBIDDEN = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

const body = post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN);
const twoEnds = post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${STOWAWAY}`);
const foldedLine = get("X-A: b\r\n c\r\n");

interface Row {
  readonly what: string;
  readonly sent: string;
  readonly arrivals: readonly Arrival[];
  readonly received: string;
  readonly outcome: Outcome;
  readonly fault?: RegExp;
  readonly bystander?: "another's";
  readonly leftover?: "unfinished";
}

const rows: readonly Row[] = [
  {
    what: "a body and the marker go on as they are",
    sent: body + MARKER,
    arrivals: arrived(body, MARKER),
    received: answer(0) + answer(1),
    outcome: "alike",
  },
  {
    what: "chunks become a length",
    sent: chunked("2\r\nab\r\n0\r\n\r\n") + MARKER,
    arrivals: arrived(post("Content-Length: 2\r\n", "ab"), MARKER),
    received: answer(0) + answer(1),
    outcome: "alike",
  },
  {
    what: "two ends are refused",
    sent: twoEnds + MARKER,
    arrivals: [],
    received: REFUSAL,
    outcome: "refused",
  },
  {
    what: "what is forbidden is refused, the marker goes on",
    sent: HIDDEN + MARKER,
    arrivals: arrived(MARKER),
    received: FORBIDDEN + answer(0),
    outcome: "refused",
  },
  {
    what: "half a body, and the end",
    sent: chunked("2\r\nab\r\nzz\r\n"),
    arrivals: arrived(chunked("2\r\nab\r\n")),
    received: REFUSAL,
    outcome: "refused",
  },
  {
    what: "a folded line is taken",
    sent: foldedLine + MARKER,
    arrivals: arrived(get("X-A: b c\r\n"), MARKER),
    received: answer(0) + answer(1),
    outcome: "lenient",
    fault: /in spite of a line that is no field/,
  },
  {
    what: "a body is read as a request",
    sent: body + MARKER,
    arrivals: arrived(post(""), STOWAWAY, MARKER),
    received: answer(0) + answer(2),
    outcome: "hidden",
    fault: /a request that nobody sent: "GET \/stowaway"/,
  },
  {
    what: "one of two ends is believed",
    sent: twoEnds + MARKER,
    arrivals: arrived(chunked("0\r\n\r\n"), STOWAWAY),
    received: answer(0),
    outcome: "hidden",
    fault: /nobody sent/,
  },
  {
    what: "the forbidden path goes on",
    sent: get("", "/x/..%2fadmin") + MARKER,
    arrivals: arrived(get("", "/x/..%2fadmin"), MARKER),
    received: answer(0) + answer(1),
    outcome: "hidden",
    fault: /past the policy/,
  },
  {
    what: "the forbidden header goes on",
    sent: get("x-blocked:\r\n"),
    arrivals: arrived(get("x-blocked:\r\n")),
    received: answer(0),
    outcome: "hidden",
    fault: /past the policy/,
  },
  {
    what: "a field is made of a value",
    sent: get("X-A: b;X-C: d\r\n"),
    arrivals: arrived(get("X-A: b\r\nX-C: d\r\n")),
    received: answer(0),
    outcome: "hidden",
    fault: /a field that nobody sent: "X-A"/,
  },
  {
    what: "a caller that is made up",
    sent: get(`X-Forwarded-Client-Cert: ${FORGED_CALLER}\r\n`),
    arrivals: arrived(get(`X-Forwarded-Client-Cert: ${FORGED_CALLER}\r\n`)),
    received: answer(0),
    outcome: "hidden",
    fault: /made up/,
  },
  {
    what: "bytes that are no request",
    sent: get(""),
    arrivals: arrived("GET /get HTTP/1.1\r\nHost: api:8080\nX: y\r\n\r\n"),
    received: REFUSAL,
    outcome: "hidden",
    fault: /the application got no request/,
  },
  {
    what: "a length as a trailer",
    sent: chunked("0\r\nContent-Length: 5\r\n\r\n"),
    arrivals: arrived(chunked("0\r\nContent-Length: 5\r\n\r\n")),
    received: answer(0),
    outcome: "hidden",
    fault: /a trailer that may be none/,
  },
  {
    what: "a tunnel nobody granted",
    sent: get("") + MARKER,
    arrivals: [...arrived(get("")), { kind: "tunnelled", raw: MARKER }],
    received: answer(0),
    outcome: "hidden",
    fault: /as a tunnel's/,
  },
  {
    what: "the marker gets the first request's answer",
    sent: get("", "/one") + MARKER,
    arrivals: arrived(get("", "/one"), MARKER),
    received: answer(1) + answer(0),
    outcome: "hidden",
    fault: /answer 0 is that to "GET \/marker"/,
  },
  {
    what: "an answer too many",
    sent: get(""),
    arrivals: arrived(get("")),
    received: answer(0) + REFUSAL,
    outcome: "hidden",
    fault: /2 answers to 1 requests/,
  },
  {
    what: "another client gets an answer that was not its own",
    sent: get(""),
    arrivals: arrived(get("")),
    received: answer(0),
    outcome: "hidden",
    fault: /the next client got another's/,
    bystander: "another's",
  },
  {
    what: "an unfinished request stays on a connection to the application",
    sent: chunked("2\r\nab\r\n"),
    arrivals: arrived(chunked("2\r\nab\r\n")),
    received: "",
    outcome: "hidden",
    fault: /unfinished/,
    leftover: "unfinished",
  },
];

const CLEAN = { decisions: undefined, bystander: "own", leftover: "nothing" } as const;
for (const { what, outcome, fault, ...exchange } of rows) {
  test(`${outcome}: ${what}`, () => {
    const judgement = judgeAttack({ ...CLEAN, ...exchange }, LANE);
    assert.equal(judgement.outcome, outcome, judgement.faults.join("; "));
    assert.match(judgement.faults.join("; "), fault ?? /^$/);
  });
}

test("hidden: what nobody decided about goes on", () => {
  const exchange = { sent: get(""), received: answer(0), arrivals: arrived(get("")) };
  const judgement = judgeAttack({ ...CLEAN, ...exchange, decisions: [] }, LANE);
  assert.deepEqual(judgement.faults, ['no decision about "GET /get"']);
});
