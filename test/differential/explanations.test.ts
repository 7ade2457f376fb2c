import assert from "node:assert/strict";
import { test } from "node:test";
import { authorizeOf } from "./ask-authorize.ts";
import { explanationOf } from "./explanations.ts";
import type { Call, Outcome, WireRequest } from "./question.ts";
import { ALL, as, calls, type Rule, setOf, type Trap } from "./trap.ts";

const LET_IN: Outcome = { verdict: "allowed", seen: "200" };
const REFUSED: Outcome = { verdict: "denied", seen: "403" };
const UNREAD: Outcome = { verdict: "denied", seen: "400" };
const RESET: Outcome = { verdict: "denied", seen: "reset" };

const HOP = "RFC 9110 section 7.6.1";
const BLANK = "RFC 9113 section 8.2.1";
const FRAGMENT = "AP-107";
const PARAMETERS = "AP-102";

const asksFor = (name: string): Rule => ({
  when: [{ key: `request.headers[${name}]`, values: ["*"], notValues: [] }],
});
const ROLE: WireRequest["headers"] = [
  ["Connection", "X-Role"],
  ["x-role", "admin"],
];
const KEPT: WireRequest["headers"] = [["connection", "keep-alive"]];
const BLANKS: WireRequest["headers"] = [["x-forwarded-for", " 10.0.0.9 "]];
const AUTHORIZATION: WireRequest["headers"] = [["connection", "authorization"]];
const FORWARDED: WireRequest["headers"] = [["connection", "x-forwarded-for"]];

interface Row {
  readonly name: string;
  readonly policies: Trap["policies"];
  readonly frame?: Trap["frame"];
  readonly sent: Partial<WireRequest>;
  readonly protocol?: Call["protocol"];
  /** `false`: it was not asked. */
  readonly sidecar?: Outcome | false;
  readonly envoy?: Outcome;
  readonly excused: string | undefined;
}

const rows: readonly Row[] = [
  {
    name: "a rule asks for what Connection names",
    policies: { deny: [asksFor("x-role")] },
    sent: { headers: ROLE },
    excused: HOP,
  },
  {
    name: "a rule asks for Connection itself",
    policies: { deny: [asksFor("connection")] },
    sent: { headers: KEPT },
    excused: HOP,
  },
  {
    name: "DENY is for all, whatever Connection names",
    policies: { deny: [asksFor("x-role"), ALL] },
    sent: { headers: ROLE },
    excused: undefined,
  },
  {
    name: "DENY asks for a path, and the connection is kept alive",
    policies: { deny: [{ to: [{ paths: ["/"] }] }] },
    sent: { headers: KEPT },
    excused: undefined,
  },
  {
    name: "DENY asks for a header that Connection does not name",
    policies: { deny: [asksFor("x-team")] },
    sent: { headers: [...ROLE, ["x-team", "a"]] },
    excused: undefined,
  },
  {
    name: "ALLOW asks for what Connection names",
    policies: { allow: [asksFor("x-role")] },
    sent: { headers: ROLE },
    excused: undefined,
  },
  {
    name: "the sidecar alone refuses it",
    policies: {},
    sent: { headers: ROLE },
    excused: undefined,
  },
  {
    name: "the sidecar lets in what the engine denies",
    policies: { deny: [asksFor("x-role")] },
    sent: { headers: ROLE },
    sidecar: LET_IN,
    excused: undefined,
  },
  {
    name: "the sidecar was not asked",
    policies: { deny: [asksFor("x-role")] },
    sent: { headers: ROLE },
    sidecar: false,
    excused: HOP,
  },
  {
    name: "Envoy refuses it, too",
    policies: { deny: [asksFor("x-role")] },
    sent: { headers: ROLE },
    envoy: REFUSED,
    excused: undefined,
  },
  {
    name: "ours refuses where who called is to be forgotten, whatever is asked",
    policies: {},
    sent: { headers: AUTHORIZATION },
    sidecar: UNREAD,
    excused: HOP,
  },
  {
    name: "a token that nobody should take is taken away",
    policies: { deny: [{ from: [{ requestPrincipals: ["*"] }] }] },
    frame: { tokens: "verified" },
    sent: { headers: AUTHORIZATION, token: { payload: { iss: "iss", sub: "a" }, flaw: "forged" } },
    sidecar: UNREAD,
    excused: HOP,
  },
  {
    name: "without its token it is denied as well",
    policies: { allow: [{ from: [{ requestPrincipals: ["*"] }] }] },
    frame: { tokens: "verified" },
    sent: { headers: AUTHORIZATION, token: { payload: { iss: "iss", sub: "a" } } },
    sidecar: UNREAD,
    excused: undefined,
  },
  {
    name: "Envoy never takes away from where a request came",
    policies: {},
    sent: { headers: FORWARDED },
    sidecar: UNREAD,
    excused: undefined,
  },
  {
    name: "a blank at the end of a value",
    policies: {},
    sent: { headers: BLANKS },
    protocol: "h2",
    sidecar: RESET,
    excused: BLANK,
  },
  {
    name: "a blank at the end of a value, and DENY is for its sender",
    policies: { deny: [{ from: [{ remoteIpBlocks: ["10.0.0.0/24"] }] }] },
    sent: { headers: BLANKS },
    protocol: "h2",
    sidecar: RESET,
    excused: undefined,
  },
  {
    name: "a fragment",
    policies: { allow: [{ to: [{ paths: ["/a"] }] }] },
    sent: { path: "/a#f" },
    sidecar: UNREAD,
    excused: FRAGMENT,
  },
  {
    name: "a fragment of a path that is read as it is written",
    policies: { allow: [{ to: [{ paths: ["/a"] }] }] },
    frame: { pathNormalization: "NONE" },
    sent: { path: "/a#f" },
    sidecar: UNREAD,
    excused: FRAGMENT,
  },
  {
    name: "a dot segment with parameters",
    policies: { allow: [{ to: [{ paths: ["/b"] }] }] },
    sent: { path: "/a/..;x=1/b?c" },
    sidecar: UNREAD,
    excused: PARAMETERS,
  },
  {
    name: "a dot segment with parameters, and DENY is for the place that it leads to",
    policies: { deny: [{ to: [{ paths: ["/b"] }] }] },
    sent: { path: "/a/..;x=1/b" },
    sidecar: UNREAD,
    excused: undefined,
  },
  {
    name: "a dot segment with parameters that is escaped, which Envoy leaves behind",
    policies: { allow: [{ to: [{ paths: ["/b"] }] }] },
    sent: { path: "/a/%2e%2e;x=1/b" },
    sidecar: UNREAD,
    excused: undefined,
  },
  {
    name: "a fragment of a path that DENY is for",
    policies: { deny: [{ to: [{ paths: ["/a"] }] }] },
    frame: { pathNormalization: "NONE" },
    sent: { path: "/a#f" },
    sidecar: UNREAD,
    excused: undefined,
  },
];

for (const row of rows) {
  test(`${row.excused ?? "never excused"}: ${row.name}`, () => {
    const { policies, frame = {}, sent, protocol = "http/1.1", envoy = LET_IN } = row;
    const set = setOf({ policies, frame, calls: [] }, { form: "linear", mode: "PERMISSIVE" });
    const call = calls([as("a")], sent).find((one) => one.protocol === protocol);
    assert.ok(call);
    const { sidecar = REFUSED } = row;
    const answered = { set, call, engine: authorizeOf(set)(call), envoy };
    const explanation = explanationOf({ ...answered, ...(sidecar !== false && { sidecar }) });
    assert.equal(explanation?.rule, row.excused);
  });
}
