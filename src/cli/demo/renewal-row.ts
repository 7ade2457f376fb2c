/** A connection is opened, the callee's certificate is renewed, and the same connection still answers. */
import { type Actor, type Callee, identityOf, shortenIdentity } from "./actor.ts";
import { differs } from "./decision-expectation.ts";
import { opensFrom } from "./log-origin.ts";
import type { Outcome } from "./order-client.ts";
import type { Finding, Row } from "./row.ts";
import type { Stage } from "./stage.ts";

const RENEWAL_PATIENCE_MS = 10_000;

interface Renewal {
  readonly caller: Actor;
  /** Of the caller's namespace, with a certificate so short-lived that it is renewed while one waits. */
  readonly callee: Callee;
  readonly line: string;
  readonly answer: string;
}

export function renewalRow(renewal: Renewal): Row {
  const { caller, callee } = renewal;
  return {
    caller: caller.owner,
    callee: `${callee.owner}:${callee.port}`,
    request: `TCP, while ${callee.owner}'s certificate is renewed`,
    expected: "the connection lives; new ones meet the new certificate",
    play: (stage) =>
      stage.hasEnvoy(caller) || stage.hasEnvoy(callee)
        ? playRenewalOfEnvoy(stage, renewal)
        : playRenewal(stage, renewal),
  };
}

/** An Envoy does not say whose certificate it met: what the callee's agent says of its renewal has to do. */
async function playRenewalOfEnvoy(
  stage: Stage,
  { caller, callee, line, answer }: Renewal,
): Promise<Finding> {
  const since = new Date().toISOString();
  const say = (keep: string): Promise<Outcome> =>
    stage.order(caller, { call: "tcp", service: callee.owner, line, keep });
  const before = await say("first");
  const renewal = await stage.sidecarLine(callee, {
    matches: ({ message, time }) => message === "certificate renewed" && String(time) >= since,
    withinMs: RENEWAL_PATIENCE_MS,
  });
  const after = await say("first");
  const fresh = await say("second");
  const surprises = [
    ...differs("answer before", before.answer, answer),
    ...differs("answer after, on the same connection", after.answer, answer),
    ...differs("port of the same connection", after.localPort, before.localPort),
    ...differs("answer on a new connection", fresh.answer, answer),
    ...differs(`a renewal in ${callee.owner}'s log`, renewal !== undefined, true),
  ];
  return {
    verdict: surprises.length === 0 ? "kept alive" : "broken",
    because: `serial ${shorten(textOf(renewal?.["previousSerial"]))} became ${shorten(textOf(renewal?.["serial"]))}`,
    identities: identitiesInWords({ caller, callee }),
    surprises,
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function identitiesInWords({ caller, callee }: Pick<Renewal, "caller" | "callee">): string {
  return [caller, callee].map((one) => shortenIdentity(identityOf(one))).join(" -> ");
}

async function playRenewal(
  stage: Stage,
  { caller, callee, line, answer }: Renewal,
): Promise<Finding> {
  const say = (keep: string): Promise<Outcome> =>
    stage.order(caller, { call: "tcp", service: callee.owner, line, keep });
  const before = await say("first");
  const serialBefore = await serialSeen(stage, { caller, outcome: before });
  const renewed = serialBefore !== undefined && (await renewalOf(stage, { callee, serialBefore }));
  const after = await say("first");
  const fresh = await say("second");
  const serialAfter = await serialSeen(stage, { caller, outcome: fresh });
  const surprises = [
    ...differs("answer before", before.answer, answer),
    ...differs("answer after, on the same connection", after.answer, answer),
    ...differs("port of the same connection", after.localPort, before.localPort),
    ...differs("answer on a new connection", fresh.answer, answer),
    ...differs(`a renewal in ${callee.owner}'s log`, renewed, true),
    ...differs("another certificate on the new connection", serialAfter !== serialBefore, true),
    ...differs("the renewed certificate is the one served", typeof serialAfter, "string"),
  ];
  return {
    verdict: surprises.length === 0 ? "kept alive" : "broken",
    because: `serial ${shorten(serialBefore)} became ${shorten(serialAfter)}`,
    identities: identitiesInWords({ caller, callee }),
    surprises,
  };
}

/** Serial number of the certificate that the callee proved itself with on one connection. */
async function serialSeen(
  stage: Stage,
  { caller, outcome }: { readonly caller: Actor; readonly outcome: Outcome },
): Promise<string | undefined> {
  const opened = await stage.sidecarLine(caller, { matches: opensFrom(outcome.localPort) });
  const serial = opened?.["upstreamSerial"];
  return typeof serial === "string" ? serial : undefined;
}

async function renewalOf(
  stage: Stage,
  { callee, serialBefore }: { readonly callee: Callee; readonly serialBefore: string },
): Promise<boolean> {
  const line = await stage.sidecarLine(callee, {
    matches: ({ message, previousSerial }) =>
      message === "certificate renewed" && previousSerial === serialBefore,
    withinMs: RENEWAL_PATIENCE_MS,
  });
  return line !== undefined;
}

const shorten = (serial: string | undefined): string =>
  serial === undefined ? "unknown" : `${serial.slice(0, 8)}…`;
