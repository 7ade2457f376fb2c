/** One DENY while callers hold connections: who was still let in, and until when. */
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../../kit/eventually.ts";
import { type EndlessCall, endlessEcho, endlessResponse, endlessStream } from "./endless-calls.ts";
import { type KeptCall, type KeptProtocol, startKeptCaller } from "./kept-calls.ts";
import type { RevocationMesh } from "./revocation-mesh.ts";

export const FAST_MS = 10;
export const SLOW_MS = 2_000;
export const CUT_WITHIN_S = 5;
/** Callers have asked at least twice. */
const BEFORE_MS = 4_500;
/** Longer than anything may live on, and slow callers ask three times more. */
const AFTER_MS = 8_000;
/** What was let in again has begun to be drained; it is none of the next trial. */
const BETWEEN_MS = 2_000;

const PROTOCOLS: readonly KeptProtocol[] = ["HTTP/1.1", "HTTP/2"];
const PACES = [FAST_MS, SLOW_MS] as const;

export type Endless = "endless response" | "endless stream" | "raw TCP";
export const ENDLESS_NAMES: readonly Endless[] = ["endless response", "endless stream", "raw TCP"];
const ENDLESS: Readonly<Record<Endless, (mesh: RevocationMesh) => EndlessCall>> = {
  "endless response": ({ ports }) => endlessResponse(ports["HTTP/1.1"]),
  "endless stream": ({ ports }) => endlessStream(ports["HTTP/2"]),
  "raw TCP": ({ ports }) => endlessEcho(ports.TCP),
};

/** Milliseconds after the change was accepted; negative: before. */
export interface KeptOutcome {
  readonly protocol: KeptProtocol;
  readonly paceMs: number;
  /** When the last call that was let in had its answer. */
  readonly lastAllowedMs: number;
  readonly firstRefusedMs: number;
  /** Calls sent after the proxy's acknowledgement was seen, and yet let in. */
  readonly allowedAfterAck: number;
  /** The same of those sent after the change was accepted. */
  readonly allowedAfterAccepted: number;
}

export interface RevocationTrial {
  /** From the request to write the policy to its answer. */
  readonly acceptedMs: number;
  /** From that answer on, as seen from outside. */
  readonly acknowledgedMs: number;
  readonly kept: readonly KeptOutcome[];
  /** From the change's acceptance to the end of each; Infinity: it outlived the trial. */
  readonly cutMs: Readonly<Record<Endless, number>>;
}

/** @param offsetMs of the change, so that slow callers meet it at other moments */
export async function runTrial(mesh: RevocationMesh, offsetMs: number): Promise<RevocationTrial> {
  await mesh.denial.expectNone();
  await mesh.untilOpen();
  const before = await mesh.obeyed();
  const kept = PROTOCOLS.flatMap((protocol) =>
    PACES.map((paceMs) => {
      const caller = startKeptCaller(protocol, { port: mesh.ports[protocol], paceMs });
      return { protocol, paceMs, caller };
    }),
  );
  const endless = ENDLESS_NAMES.map((name) => [name, ENDLESS[name](mesh)] as const);
  for (const [name, call] of endless)
    await eventually(`the first of ${name}`, () => call.lastHeardAt !== undefined);
  await delay(BEFORE_MS + offsetMs);
  const wroteAt = performance.now();
  await mesh.denial.create();
  const acceptedAt = performance.now();
  const acknowledgedAt = await mesh.acknowledged(before);
  await delay(AFTER_MS);
  await Promise.all(kept.map(({ caller }) => caller.stop()));
  for (const [, call] of endless) call.stop();
  const moments = { acceptedAt, acknowledgedAt };
  const trial = {
    acceptedMs: acceptedAt - wroteAt,
    acknowledgedMs: acknowledgedAt - acceptedAt,
    kept: kept.map(({ protocol, paceMs, caller }) => ({
      protocol,
      paceMs,
      ...outcomeOf(caller.calls, moments),
    })),
    cutMs: Object.fromEntries(
      endless.map(([name, call]) => [name, lifeOf(call, acceptedAt)]),
    ) as Record<Endless, number>,
  };
  await mesh.denial.remove();
  await mesh.untilOpen();
  await delay(BETWEEN_MS);
  return trial;
}

interface Moments {
  readonly acceptedAt: number;
  readonly acknowledgedAt: number;
}

/** @throws Error where nobody was let in before, or nobody refused after: then nothing was measured */
function outcomeOf(
  calls: readonly KeptCall[],
  { acceptedAt, acknowledgedAt }: Moments,
): Omit<KeptOutcome, "protocol" | "paceMs"> {
  const allowed = calls.filter(({ outcome }) => outcome === "allowed");
  const last = allowed.at(-1);
  const refused = calls.find(({ outcome }) => outcome === "refused");
  if (last === undefined || refused === undefined)
    throw new Error(
      `of ${calls.length} calls ${allowed.length} were let in, and ${refused === undefined ? "none" : "some"} refused`,
    );
  const after = (moment: number): number => allowed.filter(({ sentAt }) => sentAt > moment).length;
  return {
    lastAllowedMs: last.answeredAt - acceptedAt,
    firstRefusedMs: refused.answeredAt - acceptedAt,
    allowedAfterAck: after(acknowledgedAt),
    allowedAfterAccepted: after(acceptedAt),
  };
}

/** What ended before the change was not cut by it. */
function lifeOf({ endedAt }: EndlessCall, acceptedAt: number): number {
  if (endedAt === undefined) return Number.POSITIVE_INFINITY;
  if (endedAt < acceptedAt) throw new Error("it ended before anything was revoked");
  return endedAt - acceptedAt;
}
