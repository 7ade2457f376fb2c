import assert from "node:assert/strict";
import { test } from "node:test";
import { heldFields } from "../../../test/kit/recorded-answer.ts";
import type { Attempts, Exchange, Outcome, Target } from "../exchange.ts";
import { UpstreamConnectError } from "../upstream-dialer.ts";
import { Forwarding } from "./forwarding.ts";
import { HeldFields } from "./held-fields.ts";
import { HOLDING_LIMIT } from "./holding-limit.ts";
import type { Abort } from "./received-message.ts";
import type { AnswerSink, ClientStream, ServerStream, UpstreamConnections } from "./streams.ts";
import { unsendable } from "./upstream-connections-member.ts";

/** A client that hears nothing and says nothing. */
const CLIENT: ServerStream = {
  protocol: "HTTP/1.1",
  interim: () => {},
  head: () => {},
  switchProtocols: () => {},
  data: (_bytes, from, to) => to - from,
  trailers: () => {},
  answer: () => {},
  reset: () => {},
  consumed: () => {},
  retireConnection: () => {},
};

function getRequest(): Exchange {
  return {
    protocol: "HTTP/1.1",
    method: "GET",
    form: "origin",
    scheme: "",
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

function targetOf(send: UpstreamConnections["send"]): Target {
  return { address: { address: "10.0.0.1", port: 80 }, connections: { send, dropIdle: () => {} } };
}

/** The first target, and then the other one, at once. */
function inTurn(first: Target, second: Target, heard: string[]): Attempts<Target> {
  return {
    first: () => first,
    after: (failed) => (failed === first ? { endpoint: second, pauseMs: 0 } : undefined),
    waits: () => {
      heard.push("waits");
      return "taken";
    },
    sent: () => {},
    answered: () => {},
    lost: () => {},
    done: () => heard.push("done"),
  };
}

// Its fields are another request's as soon as it is over: whatever still waited would be sent with those.
test("a client that leaves: what waits is called back, also where the target before refused it at once", () => {
  const heard: string[] = [];
  const full = targetOf((_request, _following, sink) => {
    sink.failed(new UpstreamConnectError("tcp", new Error("too many requests wait for it")));
    return { cancel: () => heard.push("cancelled what was refused") };
  });
  const dialled = targetOf(() => ({ cancel: () => heard.push("cancelled what waits") }));
  const outcomes: Outcome[] = [];
  const forwarding = new Forwarding({
    stream: CLIENT,
    exchange: getRequest(),
    route: { scheme: "http", attempts: inTurn(full, dialled, heard) },
    following: "last",
    answerFields: "passed on",
    record: (outcome) => outcomes.push(outcome),
  });
  forwarding.start();
  forwarding.aborted({ cause: "closed", details: "downstream_remote_disconnect" });
  forwarding.finished();
  assert.deepEqual(heard, ["waits", "cancelled what waits", "done"]);
  assert.deepEqual(
    outcomes.map(({ flags }) => flags),
    ["DC"],
  );
});

/** Of a request to one target, which may be repeated there. */
function forwardTo(
  send: UpstreamConnections["send"],
  {
    stream = CLIENT,
    method = "GET",
    answerFields = "passed on",
  }: {
    readonly stream?: ServerStream;
    readonly method?: string;
    readonly answerFields?: "kept" | "passed on";
  } = {},
) {
  const heard: string[] = [];
  const outcomes: Outcome[] = [];
  const attempts = inTurn(targetOf(send), targetOf(send), heard);
  const forwarding = new Forwarding({
    stream,
    exchange: { ...getRequest(), method },
    route: {
      scheme: "http",
      attempts: {
        ...attempts,
        first: () => attempts.first(),
        after: () => {
          heard.push("after");
          return undefined;
        },
      },
    },
    following: method === "POST" ? "more" : "last",
    answerFields,
    record: (outcome) => outcomes.push(outcome),
  });
  forwarding.start();
  return { forwarding, heard, outcomes };
}

test("a request that cannot be written says nothing of its endpoint (400), and goes to no other", () => {
  const answered: number[] = [];
  const stream = {
    ...CLIENT,
    answer: ({ status }: { readonly status: number }) => answered.push(status),
  };
  const refuse: UpstreamConnections["send"] = (_request, _following, sink) => {
    sink.failed(unsendable(new RangeError("no such path")));
    return { cancel: () => {} };
  };
  const { forwarding, heard, outcomes } = forwardTo(refuse, { stream });
  forwarding.finished();
  assert.deepEqual([answered, heard], [[400], ["done"]]);
  assert.deepEqual(
    outcomes.map(({ flags, details }) => [flags, details]),
    [["-", "request_not_sendable"]],
  );
});

const REFUSED: Abort = { cause: "reset", details: "REFUSED_STREAM", done: "nothing" };

/** A callee's stream that takes as many octets of each piece as `most` says. */
class Callee {
  got = "";
  readonly most: number;
  readonly sink: AnswerSink;
  constructor(sink: AnswerSink, most: number) {
    this.sink = sink;
    this.most = most;
    const stream: ClientStream = {
      ends: { local: { address: "", port: 0 } },
      isReused: true,
      data: (bytes, from, to, following) => {
        const taken = Math.min(most, to - from);
        this.got += bytes.toString("latin1", from, from + taken);
        if (following === "last" && taken === to - from) this.got += ".";
        return taken;
      },
      trailers: () => {},
      consumed: () => {},
      reset: () => {},
    };
    sink.sent(stream);
  }
}

const refusals: [what: string, most: number, repeated: string | undefined][] = [
  ["nothing of the body has left: it is sent again, whole", 0, "hello."],
  ["some of the body has left", 2, undefined],
];
for (const [what, most, repeated] of refusals) {
  test(`REFUSED_STREAM, and ${what}`, () => {
    const callees: Callee[] = [];
    const { forwarding } = forwardTo(
      (_request, _following, sink) => {
        callees.push(new Callee(sink, callees.length === 0 ? most : 100));
        return { cancel: () => {} };
      },
      { method: "POST" },
    );
    const [first] = callees;
    forwarding.data(Buffer.from("hel"), 0, 3, "more");
    first?.sink.aborted(REFUSED);
    forwarding.data(Buffer.from("lo"), 0, 2, "last");
    assert.equal(callees[1]?.got, repeated);
    assert.equal(first?.got, "hello".slice(0, most));
    callees[1]?.sink.aborted(REFUSED);
    assert.equal(callees.length, repeated === undefined ? 1 : 2, "and once more only");
    forwarding.finished();
  });
}

for (const [answerFields, least, most] of [
  ["passed on", 0, 0],
  ["kept", 60_000, 130_000],
] as const) {
  test(`a large head of an answer that is ${answerFields} counts with all that is held: ${least > 0}`, () => {
    const before = HOLDING_LIMIT.octets;
    const { forwarding } = forwardTo(
      (_request, _following, sink) => {
        const { sink: answers } = new Callee(sink, 100);
        const fields = heldFields({ "x-large": "y".repeat(60_000) });
        const answer = { protocol: "HTTP/2", status: 200, fields, contentLength: -1 } as const;
        answers.head({ ...answer, isSwitch: false }, "more");
        return { cancel: () => {} };
      },
      { answerFields },
    );
    const held = HOLDING_LIMIT.octets - before;
    assert.ok(held >= least && held <= most, String(held));
    forwarding.finished();
    assert.equal(HOLDING_LIMIT.octets, before);
  });
}
