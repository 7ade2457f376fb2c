/** Rows of a caller that is not who it should be: cut off before any request is read, found by where it came from. */
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import type { Actor, Callee } from "./actor.ts";
import { compareDecision, type DecisionExpectation, differs } from "./decision-expectation.ts";
import { findingOf } from "./finding.ts";
import { httpOrder } from "./http-row.ts";
import { comesFrom } from "./log-origin.ts";
import type { Order } from "./order-client.ts";
import type { Row } from "./row.ts";
import { hostAndPort, type Stage } from "./stage.ts";

interface Refusal extends DecisionExpectation {
  readonly caller: Actor;
  readonly callee: Callee;
  readonly request: string;
  readonly expected: string;
  /** Whose sidecar decides. */
  readonly judge: Actor;
  /** Absent: no answer at all. */
  readonly status?: number;
  /** Where the judge has an Envoy. */
  readonly statusOfEnvoy?: number;
  readonly order: (stage: Stage) => Order;
}

/** Straight to the callee's own door, without mutual TLS. */
export function plaintextRow(
  what: Pick<Refusal, "caller" | "callee" | "policy"> & { readonly request: string },
): Row {
  const { caller, callee, request } = what;
  return refusalRow({
    ...what,
    expected: "plaintext refused under STRICT",
    judge: callee,
    because: "plaintext-refused",
    order: (stage) =>
      request === "TCP"
        ? { call: "tcp", ...stage.address(callee), line: "LIST" }
        : httpOrder({ caller, callee, request }, stage),
  });
}

/** Through the listener that a sidecar keeps for its own application, to borrow that one's identity. */
export function borrowedListenerRow(
  what: Pick<Refusal, "caller" | "callee" | "request"> & { readonly lender: Actor },
): Row {
  const { lender, callee, request } = what;
  const row = refusalRow({
    ...what,
    request: `${request} through ${lender.owner}'s own listener`,
    expected: "a borrowed outbound listener refused",
    judge: lender,
    because: "not-own-workload",
    order: (stage) => {
      const borrowed = stage
        .workload(lender)
        .outboundListeners.find(
          ({ serviceNamespace, serviceName }) =>
            serviceNamespace === callee.namespace && serviceName === callee.owner,
        );
      if (borrowed === undefined) throw new Error(`${lender.owner} has no such listener`);
      return { ...httpOrder(what, stage), ...hostAndPort(borrowed.listen) };
    },
  });
  return { ...row, network: "loopback" };
}

/** Through another pod's HTTP proxy, without its password. */
export function borrowedProxyRow(
  what: Pick<Refusal, "caller" | "callee" | "request"> & { readonly lender: Actor },
): Row {
  const { lender, request } = what;
  const row = refusalRow({
    ...what,
    request: `${request} through ${lender.owner}'s HTTP proxy`,
    expected: "a borrowed HTTP proxy refused",
    judge: lender,
    because: "not-own-workload",
    status: 407,
    statusOfEnvoy: 401,
    order: (stage) => {
      const proxy = stage.workload(lender).httpProxy;
      if (proxy === undefined) throw new Error(`${lender.owner} has no HTTP proxy`);
      const order = httpOrder(what, stage);
      const path = `http://${order.authority}${order.path}`;
      return { ...order, ...hostAndPort(proxy), path };
    },
  });
  return { ...row, network: "loopback" };
}

function refusalRow(what: Refusal): Row {
  const { caller, callee, request, expected } = what;
  return {
    caller: caller.owner,
    callee: `${callee.owner}:${callee.port}`,
    request,
    expected,
    async play(stage) {
      const outcome = await stage.order(caller, what.order(stage));
      const entry = await stage.accessEntry(what.judge, comesFrom(outcome.localPort));
      const { status, statusOfEnvoy = status } = what;
      const expectedStatus = stage.hasEnvoy(what.judge) ? statusOfEnvoy : status;
      const surprises = [
        ...differs("status at the caller", outcome.status, expectedStatus),
        ...differs("answer", outcome.answer, undefined),
        ...compareDecision(entry?.decision, what),
        ...provenBy(entry),
      ];
      return findingOf(entry, { outcome, surprises });
    },
  };
}

function provenBy(entry: AccessLogEntry | undefined): string[] {
  return entry === undefined ? [] : differs("caller's identity", entry.source_principal, null);
}
