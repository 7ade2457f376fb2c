import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempts, Exchange, Outcome, Target } from "../exchange.ts";
import { UpstreamConnectError } from "../upstream-dialer.ts";
import { Forwarding } from "./forwarding.ts";
import { HeldFields } from "./held-fields.ts";
import type { ServerStream, UpstreamConnections } from "./streams.ts";

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
