import assert from "node:assert/strict";
import { test } from "node:test";
import {
  headersOf,
  PARENT,
  SAMPLED,
  type SideParts,
  sideOf,
  TRACE,
} from "../../../test/kit/span-side.ts";
import { HeldFields } from "../../proxy/http/held-fields.ts";
import { startSpan } from "./span.ts";

const UNSAMPLED = `00-${TRACE}-${PARENT}-00`;

const NEW_SAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/;
const NEW_UNSAMPLED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/;
const JOINED = new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`);

interface Expected {
  readonly span: "begun" | "joined" | "none";
  readonly traceparent: RegExp | undefined;
  readonly tracestate?: string;
}

const starts: [
  what: string,
  headers: Readonly<Record<string, string>>,
  side: SideParts,
  expected: Expected,
][] = [
  [
    "a parent that is sampled is joined",
    { traceparent: SAMPLED, tracestate: "a=1" },
    {},
    { span: "joined", traceparent: JOINED, tracestate: "a=1" },
  ],
  [
    "a parent that is not sampled passes untouched, whatever the share",
    { traceparent: UNSAMPLED, tracestate: "a=1" },
    { sampledOf10000: 10_000 },
    { span: "none", traceparent: new RegExp(`^${UNSAMPLED}$`), tracestate: "a=1" },
  ],
  [
    "without a parent, a request that is sampled begins a trace",
    {},
    { sampledOf10000: 10_000 },
    { span: "begun", traceparent: NEW_SAMPLED },
  ],
  [
    "without a parent, one that is not is told to be so",
    {},
    {},
    { span: "none", traceparent: NEW_UNSAMPLED },
  ],
  [
    "a malformed parent is replaced, and its state dropped",
    { traceparent: `${SAMPLED}-more`, tracestate: "a=1" },
    { sampledOf10000: 10_000 },
    { span: "begun", traceparent: NEW_SAMPLED },
  ],
  [
    "a malformed parent of a request that is not sampled, too",
    { traceparent: "x", tracestate: "a=1" },
    {},
    { span: "none", traceparent: NEW_UNSAMPLED },
  ],
  [
    "two parents are none",
    { traceparent: `${SAMPLED},${SAMPLED}` },
    {},
    { span: "none", traceparent: NEW_UNSAMPLED },
  ],
  [
    "a state without a parent is dropped",
    { tracestate: "a=1" },
    { sampledOf10000: 10_000 },
    { span: "begun", traceparent: NEW_SAMPLED },
  ],
  [
    "a malformed state is dropped, and its parent kept",
    { traceparent: SAMPLED, tracestate: "A=1" },
    {},
    { span: "joined", traceparent: JOINED },
  ],
  [
    "a long state goes on",
    { traceparent: SAMPLED, tracestate: `a=${"b".repeat(256)},c=${"d".repeat(256)}` },
    {},
    {
      span: "joined",
      traceparent: JOINED,
      tracestate: `a=${"b".repeat(256)},c=${"d".repeat(256)}`,
    },
  ],
  [
    "without propagation nothing of a trace goes on",
    { traceparent: SAMPLED, tracestate: "a=1" },
    { propagation: "off" },
    { span: "joined", traceparent: undefined },
  ],
  [
    "without propagation, nothing of one that is not sampled",
    { traceparent: UNSAMPLED },
    { propagation: "off" },
    { span: "none", traceparent: undefined },
  ],
];
for (const [what, given, changes, expected] of starts) {
  test(what, () => {
    const headers = headersOf(given);
    const span = startSpan(sideOf(changes).side, headers, { containerPort: 8080 });
    assert.equal(span === undefined ? "none" : span.parentId ? "joined" : "begun", expected.span);
    const told = headers.get("traceparent");
    if (expected.traceparent === undefined) assert.equal(told, undefined);
    else assert.match(told ?? "", expected.traceparent);
    assert.equal(headers.get("tracestate"), expected.tracestate);
    if (span !== undefined && changes.propagation !== "off") {
      assert.equal(told, `00-${span.traceId}-${span.spanId}-01`);
      assert.notEqual(span.spanId, PARENT);
    }
  });
}

test("the fields of a request that the data path holds are changed in place", () => {
  const fields = HeldFields.borrow();
  fields.add("TraceParent", SAMPLED);
  fields.add("traceparent", SAMPLED);
  fields.add("Tracestate", "a=1");
  fields.add("tracestate", "b=2");
  const { side } = sideOf({ sampledOf10000: 10_000 });
  const span = startSpan(side, fields, {});
  assert.equal(fields.get("traceparent"), `00-${span?.traceId}-${span?.spanId}-01`);
  assert.notEqual(span?.traceId, TRACE);
  assert.equal(fields.get("tracestate"), undefined);
  assert.equal(fields.count, 1);
  fields.release();
});

const names: [
  what: string,
  side: SideParts,
  place: Parameters<typeof startSpan>[2],
  name: string,
][] = [
  [
    "a call that is made, by its service",
    { reporter: "source" },
    { destination: { host: "db.shop.svc.cluster.local", servicePort: 5432 }, authority: "db" },
    "db.shop.svc.cluster.local:5432/*",
  ],
  [
    "one that leads to no service",
    { reporter: "source" },
    { authority: "example.com" },
    "egress example.com",
  ],
  ["a call that is taken", {}, { containerPort: 8080 }, "api.shop.svc.cluster.local:80/*"],
  ["one on a port of no service", {}, { containerPort: 9090, authority: "x" }, "ingress"],
];
for (const [what, changes, place, name] of names) {
  test(`the name of ${what}`, () => {
    const { side } = sideOf(changes);
    assert.equal(startSpan(side, headersOf({ traceparent: SAMPLED }), place)?.name, name);
  });
}
