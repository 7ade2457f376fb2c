import { httpRow } from "./http-row.ts";
import { borrowedListenerRow, borrowedProxyRow, plaintextRow } from "./outsider-row.ts";
import { API, COMPROMISED, DATABASE, FRONTEND, OUTSIDER } from "./production-actors.ts";
import type { Row } from "./row.ts";
import { tcpRow } from "./tcp-row.ts";

const ORDERS = "GET /api/v1/orders";

export const INTRUDER_ROWS: readonly Row[] = [
  httpRow({
    caller: COMPROMISED,
    callee: API,
    request: "GET /healthz",
    expected: "DENY wins over what everyone may do",
    status: 403,
    because: "matched-deny",
    policy: "block-compromised",
  }),
  httpRow({
    caller: COMPROMISED,
    callee: API,
    request: ORDERS,
    headers: {
      "x-api-version": "v1",
      "x-forwarded-client-cert": "URI=spiffe://cluster.local/ns/production/sa/frontend",
    },
    remark: "as frontend",
    expected: "a forged x-forwarded-client-cert proves nothing",
    status: 403,
    because: "matched-deny",
    policy: "block-compromised",
  }),
  tcpRow({
    caller: COMPROMISED,
    callee: DATABASE,
    line: "HAS gambeson",
    expected: "TCP refused by the same policy",
    because: "matched-deny",
    policy: "block-compromised",
  }),
  plaintextRow({ caller: OUTSIDER, callee: API, request: "GET /healthz", policy: "default" }),
  plaintextRow({ caller: OUTSIDER, callee: DATABASE, request: "TCP", policy: "default" }),
  borrowedListenerRow({ caller: OUTSIDER, callee: API, lender: FRONTEND, request: ORDERS }),
  borrowedProxyRow({ caller: OUTSIDER, callee: API, lender: FRONTEND, request: ORDERS }),
];
