/** The eight rows of `examples/first-verdict`. */
import type { Actor, Callee } from "./actor.ts";
import { httpRow } from "./http-row.ts";
import { borrowedListenerRow, plaintextRow } from "./outsider-row.ts";
import { renewalRow } from "./renewal-row.ts";
import type { Row } from "./row.ts";
import { tcpRow } from "./tcp-row.ts";

const inProduction = (owner: string): Actor => ({
  owner,
  namespace: "production",
  serviceAccount: owner,
});
const FRONTEND = inProduction("frontend");
const API: Callee = { ...inProduction("api"), port: 8080 };
const DATABASE: Callee = { ...inProduction("database"), port: 5432 };
const OUTSIDER: Actor = { owner: "outsider", namespace: "legacy" };

const READ = "GET /api/orders";

export const FIRST_VERDICT_ROWS: readonly Row[] = [
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: READ,
    expected: "allowed over mutual TLS",
    status: 200,
    because: "matched-allow",
    policy: "frontend-reads-api",
  }),
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: "GET /admin",
    expected: "refused by a DENY policy",
    status: 403,
    because: "matched-deny",
    policy: "nobody-administers",
  }),
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: "DELETE /api/orders",
    expected: "refused for want of an ALLOW; the nearest rule is named",
    status: 403,
    because: "no-allow-matched",
    policy: "frontend-reads-api",
    unmet: "to.operation.methods",
  }),
  plaintextRow({ caller: OUTSIDER, callee: API, request: READ }),
  tcpRow({
    caller: API,
    callee: DATABASE,
    line: "hello",
    expected: "TCP allowed",
    answer: "HELLO",
    because: "matched-allow",
    policy: "api-uses-database",
  }),
  tcpRow({
    caller: FRONTEND,
    callee: DATABASE,
    line: "hello",
    expected: "TCP refused",
    because: "no-allow-matched",
    policy: "api-uses-database",
    unmet: "from.source.principals",
  }),
  borrowedListenerRow({ caller: OUTSIDER, callee: API, lender: FRONTEND, request: READ }),
  renewalRow({ caller: API, callee: DATABASE, line: "hello", answer: "HELLO" }),
];
