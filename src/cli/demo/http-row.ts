/** Rows of one HTTP request that reaches the callee: found in the callee's access log by its random id. */
import { randomUUID } from "node:crypto";
import { type Actor, type Callee, identityOf } from "./actor.ts";
import { compareDecision, type DecisionExpectation, differs } from "./decision-expectation.ts";
import { findingOf } from "./finding.ts";
import type { HttpOrder } from "./order-client.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

export interface HttpRowOptions extends DecisionExpectation {
  readonly caller: Actor;
  readonly callee: Callee;
  /** `METHOD PATH` */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is said of the request besides method and path. */
  readonly remark?: string;
  readonly expected: string;
  readonly status: number;
}

export function httpRow(options: HttpRowOptions): Row {
  const { caller, callee, request, remark, expected, status } = options;
  return {
    caller: caller.owner,
    callee: `${callee.owner}:${callee.port}`,
    request: remark === undefined ? request : `${request}, ${remark}`,
    expected,
    async play(stage) {
      const order = httpOrder(options, stage);
      const outcome = await stage.order(caller, order);
      const entry = await stage.accessEntry(
        callee,
        (line) => line.request_id === order.requestId && line.reporter === "destination",
      );
      // A callee proves who it is only to whom proves as much.
      const calleeIdentity = identityOf(caller) === null ? null : identityOf(callee);
      const surprises = [
        ...differs("status at the caller", outcome.status, status),
        ...differs(`status in ${callee.owner}'s log`, entry?.response_code, status),
        ...compareDecision(entry?.decision, options),
        ...differs("caller's identity", entry?.source_principal, identityOf(caller)),
        ...differs("callee's identity", entry?.destination_principal, calleeIdentity),
      ];
      return findingOf(entry, { outcome, surprises });
    },
  };
}

/** The way there is the mesh's; without a sidecar, the callee's door itself. */
export function httpOrder(
  what: Pick<HttpRowOptions, "caller" | "callee" | "request" | "headers">,
  stage: Stage,
): HttpOrder {
  const { caller, callee, request, headers = {} } = what;
  const [method = "", path = ""] = request.split(" ");
  const near = caller.namespace === callee.namespace;
  const service = near ? callee.owner : `${callee.owner}.${callee.namespace}`;
  const target = caller.serviceAccount === undefined ? stage.address(callee) : { service };
  const authority = `${service}:${callee.port}`;
  return { call: "http", ...target, authority, method, path, headers, requestId: randomUUID() };
}
