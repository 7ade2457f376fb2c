/** One kept-alive connection, and a DENY policy that comes and goes while it is open. */
import { setTimeout as delay } from "node:timers/promises";
import type { AccessLogEntry } from "../../telemetry/access-log.ts";
import { type Actor, type Callee, identityOf } from "./actor.ts";
import { compareDecision, differs } from "./decision-expectation.ts";
import { identitiesOf } from "./finding.ts";
import { type HttpRowOptions, httpOrder } from "./http-row.ts";
import type { Outcome } from "./order-client.ts";
import type { Finding, Row } from "./row.ts";
import type { Stage } from "./stage.ts";

/** How long a change may take until it binds. */
const CHANGE_PATIENCE_MS = 5_000;
const ASK_AGAIN_MS = 25;

interface PolicyChange extends Pick<HttpRowOptions, "request" | "headers"> {
  readonly caller: Actor;
  readonly callee: Callee;
  /** Path, in the example, of the file with the DENY policy. */
  readonly file: string;
  readonly policy: string;
}

interface Answered {
  readonly outcome: Outcome;
  readonly requestId: string;
  /** Since it was first asked for. */
  readonly afterMs: number;
}

export function policyChangeRow(change: PolicyChange): Row {
  const { caller, callee, request } = change;
  return {
    caller: caller.owner,
    callee: `${callee.owner}:${callee.port}`,
    request: `${request}, while a policy comes and goes`,
    expected: `a new DENY binds the open connection`,
    play: (stage) => playChange(stage, change),
  };
}

async function playChange(stage: Stage, change: PolicyChange): Promise<Finding> {
  const { callee, policy } = change;
  const before = await ask(stage, change);
  const withinMs = before.outcome.status === 200 ? CHANGE_PATIENCE_MS : 0;
  const refused = await askWithPolicy(stage, { change, withinMs });
  const after = await askUntil(stage, { change, status: 200, withinMs });
  const answers = [before, refused, after];
  const entries = await Promise.all(answers.map((one) => findEntry(stage, { callee, one })));
  const [first, second, third] = entries;
  const surprises = [
    ...differs("statuses", answers.map(({ outcome }) => outcome.status).join(), "200,403,200"),
    ...differs("connections of the caller", countPorts(answers), 1),
    // An Envoy spreads one application's requests over connections of its own.
    ...(stage.hasEnvoy(change.caller)
      ? []
      : differs("connections at the callee", countConnections(entries), 1)),
    ...compareDecision(first?.decision, { because: "matched-allow" }),
    ...compareDecision(second?.decision, { because: "matched-deny", policy }),
    ...compareDecision(third?.decision, { because: "matched-allow" }),
    ...differs("caller's identity", second?.source_principal, identityOf(change.caller)),
  ];
  return {
    verdict: answers.map(({ outcome }) => outcome.status ?? "nothing").join(", "),
    because:
      surprises.length === 0
        ? `DENY ${callee.namespace}/${policy} bound it after ${refused.afterMs} ms and was gone after ${after.afterMs} ms`
        : `DENY ${callee.namespace}/${policy} came and went`,
    identities: second === undefined ? "" : identitiesOf(second),
    surprises,
  };
}

async function askWithPolicy(
  stage: Stage,
  { change, withinMs }: { readonly change: PolicyChange; readonly withinMs: number },
): Promise<Answered> {
  try {
    await stage.addFile(change.file);
    return await askUntil(stage, { change, status: 403, withinMs });
  } finally {
    await stage.removeFile(change.file);
  }
}

/** @returns the first answer with this status; the last of all when none came in time */
async function askUntil(
  stage: Stage,
  until: { readonly change: PolicyChange; readonly status: number; readonly withinMs: number },
): Promise<Answered> {
  const start = performance.now();
  for (;;) {
    const answered = await ask(stage, until.change);
    const afterMs = Math.round(performance.now() - start);
    if (answered.outcome.status === until.status || afterMs > until.withinMs) {
      return { ...answered, afterMs };
    }
    await delay(ASK_AGAIN_MS);
  }
}

async function ask(stage: Stage, change: PolicyChange): Promise<Answered> {
  const order = httpOrder(change, stage);
  const outcome = await stage.order(change.caller, { ...order, keep: "open" });
  return { outcome, requestId: order.requestId, afterMs: 0 };
}

function findEntry(
  stage: Stage,
  { callee, one }: { readonly callee: Callee; readonly one: Answered },
): Promise<AccessLogEntry | undefined> {
  return stage.accessEntry(
    callee,
    ({ request_id, reporter }) => request_id === one.requestId && reporter === "destination",
  );
}

const countPorts = (answers: readonly Answered[]): number =>
  new Set(answers.map(({ outcome }) => outcome.localPort)).size;

const countConnections = (entries: readonly (AccessLogEntry | undefined)[]): number =>
  new Set(entries.map((entry) => entry?.downstream_remote_address)).size;
