/** Rows of one TCP connection through both sidecars: found by the addresses of its two ends. */
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { type Actor, type Callee, identityOf } from "./actor.ts";
import { compareDecision, type DecisionExpectation, differs } from "./decision-expectation.ts";
import { findingOf } from "./finding.ts";
import { comesFrom } from "./log-origin.ts";
import type { Outcome } from "./order-client.ts";
import type { Row } from "./row.ts";
import type { Stage } from "./stage.ts";

export interface TcpRowOptions extends DecisionExpectation {
  readonly caller: Actor;
  /** Of the caller's namespace. */
  readonly callee: Callee;
  readonly line: string;
  readonly expected: string;
  /** Absent: there must be none. */
  readonly answer?: string;
}

export function tcpRow(options: TcpRowOptions): Row {
  const { caller, callee, line, expected, answer } = options;
  return {
    caller: caller.owner,
    callee: `${callee.owner}:${callee.port}`,
    request: "TCP",
    expected,
    async play(stage) {
      const since = new Date().toISOString();
      const outcome = await stage.order(caller, { call: "tcp", service: callee.owner, line });
      const entry = await findTcpEntry(stage, { caller, callee, outcome, since });
      const surprises = [
        ...differs("answer", outcome.answer, answer),
        ...compareDecision(entry?.decision, options),
        ...differs("caller's identity", entry?.source_principal, identityOf(caller)),
        ...differs("callee's identity", entry?.destination_principal, identityOf(callee)),
      ];
      return findingOf(entry, { outcome, surprises });
    },
  };
}

/** The caller's sidecar names its own end of the connection; the callee's sidecar names the same as its peer. */
async function findTcpEntry(
  stage: Stage,
  call: {
    readonly caller: Actor;
    readonly callee: Callee;
    readonly outcome: Outcome;
    /** ISO 8601; when it began. */
    readonly since: string;
  },
): Promise<AccessLogEntry | undefined> {
  if (stage.hasEnvoy(call.caller)) return findNewTcpEntry(stage, call);
  const isOurs = comesFrom(call.outcome.localPort);
  const source = await stage.accessEntry(
    call.caller,
    (entry) => entry.reporter === "source" && isOurs(entry),
  );
  const end = source?.upstream_local_address;
  if (end === undefined || end === null) return undefined;
  return stage.accessEntry(call.callee, (entry) => entry.downstream_remote_address === end);
}

/** An Envoy does not always know the application's end of a connection: who called, and when, tells as well. */
function findNewTcpEntry(
  stage: Stage,
  {
    caller,
    callee,
    since,
  }: { readonly caller: Actor; readonly callee: Callee; readonly since: string },
): Promise<AccessLogEntry | undefined> {
  return stage.accessEntry(
    callee,
    (entry) =>
      entry.reporter === "destination" &&
      entry.method === null &&
      entry.start_time >= since &&
      entry.source_principal === identityOf(caller),
  );
}
