/** The rows of `examples/production`: each layer, what it lets through and what it keeps out. */
import { attackRows } from "./attack-row.ts";
import { chainRow } from "./chain-row.ts";
import { httpRow } from "./http-row.ts";
import { policyChangeRow } from "./policy-change-row.ts";
import {
  API,
  BATCH,
  COMPROMISED,
  DATABASE,
  FRONTEND,
  INGRESS,
  MONITORING,
  OUTSIDER,
} from "./production-actors.ts";
import { INTRUDER_ROWS } from "./production-intruder-rows.ts";
import { renewalRow } from "./renewal-row.ts";
import type { Row } from "./row.ts";
import { tcpRow } from "./tcp-row.ts";

const ORDERS = "GET /api/v1/orders";
const V1 = { headers: { "x-api-version": "v1" }, remark: "version v1" };

/** What people do: the way through all layers, and each layer by itself. */
const LAYERS: readonly Row[] = [
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: ORDERS,
    ...V1,
    expected: "allowed over mutual TLS",
    status: 200,
    because: "matched-allow",
    policy: "api-access",
  }),
  chainRow({
    visitor: OUTSIDER,
    layers: [INGRESS, FRONTEND, API],
    request: "GET /",
    answer: "chain mail",
    expected: "allowed by each layer, under one request id",
  }),
  httpRow({
    caller: OUTSIDER,
    callee: INGRESS,
    request: "GET /metrics",
    expected: "refused at the door: visitors see pages, not metrics",
    status: 403,
    because: "no-allow-matched",
    policy: "visitors",
    unmet: "to.operation.notPaths",
  }),
  httpRow({
    caller: INGRESS,
    callee: FRONTEND,
    request: "GET /",
    expected: "allowed by the caller's namespace",
    status: 200,
    because: "matched-allow",
    policy: "ingress-to-frontend",
  }),
  httpRow({
    caller: INGRESS,
    callee: API,
    request: ORDERS,
    ...V1,
    expected: "no layer can be skipped",
    status: 403,
    because: "no-allow-matched",
    policy: "api-access",
    unmet: "from.source.principals",
  }),
];

/** Methods, paths and headers, for one caller that may do much. */
const FRONTEND_AND_API: readonly Row[] = [
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: "POST /api/v1/orders",
    ...V1,
    expected: "allowed by method and path",
    status: 201,
    because: "matched-allow",
    policy: "api-access",
  }),
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: "DELETE /api/v1/orders",
    ...V1,
    expected: "refused for its method",
    status: 403,
    because: "no-allow-matched",
    policy: "api-access",
    unmet: "to.operation.methods",
  }),
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: ORDERS,
    headers: { "x-api-version": "v9" },
    remark: "version v9",
    expected: "refused for its x-api-version header",
    status: 403,
    because: "no-allow-matched",
    policy: "api-access",
    unmet: "when request.headers[x-api-version]",
  }),
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: ORDERS,
    remark: "no version",
    expected: "refused for want of the header",
    status: 403,
    because: "no-allow-matched",
    policy: "api-access",
    unmet: "when request.headers[x-api-version]",
  }),
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: "GET /api/v1/admin",
    ...V1,
    expected: "DENY wins over the ALLOW that matches too",
    status: 403,
    because: "matched-deny",
    policy: "nobody-administers",
  }),
  httpRow({
    caller: FRONTEND,
    callee: API,
    request: "GET /api/v1/orders/../admin",
    ...V1,
    expected: "judged as the path it leads to",
    status: 403,
    because: "matched-deny",
    policy: "nobody-administers",
  }),
];

const DATABASE_ROWS: readonly Row[] = [
  tcpRow({
    caller: API,
    callee: DATABASE,
    line: "HAS gambeson",
    expected: "TCP allowed by identity and port",
    answer: "yes",
    because: "matched-allow",
    policy: "api-to-database",
  }),
  tcpRow({
    caller: FRONTEND,
    callee: DATABASE,
    line: "HAS gambeson",
    expected: "TCP refused: the frontend has to ask the api",
    because: "no-allow-matched",
    policy: "api-to-database",
    unmet: "from.source.principals",
  }),
];

/** Callers from other namespaces, each with one thing to do. */
const OTHER_NAMESPACES: readonly Row[] = [
  httpRow({
    caller: MONITORING,
    callee: API,
    request: "GET /metrics",
    expected: "allowed by the caller's namespace",
    status: 200,
    because: "matched-allow",
    policy: "allow-monitoring",
  }),
  httpRow({
    caller: MONITORING,
    callee: FRONTEND,
    request: "GET /metrics",
    expected: "allowed: one policy for every workload",
    status: 200,
    because: "matched-allow",
    policy: "allow-monitoring",
  }),
  httpRow({
    caller: MONITORING,
    callee: API,
    request: ORDERS,
    expected: "refused for its path",
    status: 403,
    because: "no-allow-matched",
    policy: "allow-monitoring",
    unmet: "to.operation.paths",
  }),
  httpRow({
    caller: MONITORING,
    callee: API,
    request: "POST /metrics",
    expected: "refused for its method",
    status: 403,
    because: "no-allow-matched",
    policy: "allow-monitoring",
    unmet: "to.operation.methods",
  }),
  httpRow({
    caller: BATCH,
    callee: API,
    request: "POST /api/v2/batch/stocktaking",
    expected: "allowed by identity, method and path",
    status: 202,
    because: "matched-allow",
    policy: "api-access",
  }),
  httpRow({
    caller: BATCH,
    callee: API,
    request: "GET /api/v2/batch/stocktaking",
    expected: "refused for its method",
    status: 403,
    because: "no-allow-matched",
    policy: "api-access",
    unmet: "to.operation.methods",
  }),
  httpRow({
    caller: BATCH,
    callee: API,
    request: "POST /api/v1/orders",
    expected: "refused for its path",
    status: 403,
    because: "no-allow-matched",
    policy: "api-access",
    unmet: "to.operation.paths",
  }),
  httpRow({
    caller: BATCH,
    callee: API,
    request: "GET /healthz",
    expected: "allowed: probes are for everyone in the mesh",
    status: 200,
    because: "matched-allow",
    policy: "api-access",
  }),
];

/** What changes while connections are open. */
const CHANGES: readonly Row[] = [
  policyChangeRow({
    caller: FRONTEND,
    callee: API,
    request: ORDERS,
    headers: V1.headers,
    file: "changes/lock-out-frontend.yaml",
    policy: "lock-out-frontend",
  }),
  renewalRow({ caller: API, callee: DATABASE, line: "HAS gambeson", answer: "yes" }),
];

export const PRODUCTION_ROWS: readonly Row[] = [
  ...LAYERS,
  ...FRONTEND_AND_API,
  ...DATABASE_ROWS,
  ...OTHER_NAMESPACES,
  ...INTRUDER_ROWS,
  ...attackRows(COMPROMISED),
  ...CHANGES,
];
