/** What becomes of an exchange whose body stood still for longest when all bodies together held too much. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempts, Exchange, Outcome, Target } from "../exchange.ts";
import { Forwarding } from "./forwarding.ts";
import { HeldFields } from "./held-fields.ts";
import type { AnswerSink, ServerStream } from "./streams.ts";

function upload(): Exchange {
  return {
    protocol: "HTTP/2",
    method: "POST",
    form: "origin",
    scheme: "http",
    contentLength: -1,
    expectation: "none",
    upgrade: "none",
    startedAt: new Date(),
    headers: HeldFields.borrow(),
    reservedNames: [],
    authority: "callee.test",
    path: "/",
    decision: undefined,
    spanSide: undefined,
    span: undefined,
  };
}

/** @returns all that either side, and the record, is told */
function exchangeGivenUp(when: "before the answer" | "within the answer"): readonly string[] {
  const told: string[] = [];
  const note = (what: string) => (): void => {
    told.push(what);
  };
  const stream: ServerStream = {
    protocol: "HTTP/2",
    interim: note("interim"),
    head: note("head"),
    switchProtocols: note("switch"),
    data: () => 0,
    trailers: note("trailers"),
    answer: ({ status, body }) => told.push(`answer ${status} ${body.trim()}`),
    reset: note("client reset"),
    consumed: note("consumed"),
    retireConnection: note("retired"),
  };
  let sink: AnswerSink | undefined;
  const target: Target = {
    address: { address: "10.0.0.1", port: 80 },
    connections: {
      send: (_request, _following, answers) => {
        sink = answers;
        const ends = { local: { address: "", port: 0 } };
        const reset = note("callee reset");
        const consumed = (): void => {};
        answers.sent({
          ends,
          isReused: false,
          data: () => 0,
          trailers: note("trailers"),
          consumed,
          reset,
        });
        return { cancel: note("cancelled") };
      },
      dropIdle: () => {},
    },
  };
  const attempts: Attempts<Target> = {
    first: () => target,
    after: () => undefined,
    waits: () => "taken",
    sent: () => {},
    answered: () => {},
    lost: note("the endpoint is blamed"),
    done: () => {},
  };
  const record = ({ status, flags, details }: Outcome): void => {
    told.push(`${status} ${flags} ${details}`);
  };
  const route = { scheme: "http", attempts } as const;
  const about = { following: "more", answerFields: "passed on", record } as const;
  const forwarding = new Forwarding({ stream, exchange: upload(), route, ...about });
  forwarding.start();
  forwarding.data(Buffer.from("held"), 0, 4, "more");
  if (when === "within the answer") {
    sink?.head({ ...ANSWER, fields: HeldFields.borrow() }, "more");
    sink?.data(Buffer.from("held"), 0, 4, "more");
  }
  forwarding.giveUp();
  forwarding.finished();
  return told;
}

const ANSWER = { protocol: "HTTP/2", status: 200, contentLength: -1, isSwitch: false } as const;

test("OM: before the answer it is refused, and the callee needs no more of it", () => {
  assert.deepEqual(exchangeGivenUp("before the answer"), [
    "callee reset",
    "answer 503 too much is held for peers that do not read",
    "503 OM overload",
  ]);
});

test("OM: within the answer both sides are reset", () => {
  const told = exchangeGivenUp("within the answer");
  assert.deepEqual(told, ["head", "callee reset", "client reset", "200 OM overload"]);
});
