/** Each step beside none, ours and Envoy's, in the same cycle: what it adds is the difference. */
import { once } from "node:events";
import { request } from "node:http";
import type { Cycle, Figure } from "../sidecar/figure.ts";
import type { WrkOrder } from "../sidecar/load/wrk-load.ts";
import type { Pair } from "../sidecar/proxy-side.ts";
import { calleeCpuPerRequest } from "../sidecar/slice.ts";
import type { StackName } from "../sidecar/stacks.ts";

const CONNECTIONS = 64;
/** A difference of two figures varies more than either. */
const LEAST_CYCLES = 7;
const OURS = "hauberk";
const ENVOY = "envoy-h1";

interface Step {
  readonly name: string;
  readonly title: string;
  readonly ours: StackName;
  readonly envoys: StackName;
  readonly tokens?: WrkOrder["tokens"];
  /** Of a pair with the step. */
  readonly check?: (pair: Pair) => Promise<void>;
  readonly goal: number;
}

export function requestFigures(): readonly Figure[] {
  return [
    figureOf({
      name: "jwt-cached",
      title: "an ES256 token that was verified before, by both",
      ours: "hauberk-jwt",
      envoys: "envoy-jwt-cached",
      tokens: "one",
      check: refusesForgedToken,
      goal: 1,
    }),
    figureOf({
      name: "jwt-uncached",
      title: "an ES256 token that nobody has seen lately",
      ours: "hauberk-jwt",
      envoys: "envoy-jwt",
      tokens: "many",
      check: refusesForgedToken,
      goal: 2.5,
    }),
    figureOf({
      name: "local-limit",
      title: "one local limit that is never reached",
      ours: "hauberk-limit",
      envoys: "envoy-limit",
      goal: 1,
    }),
    figureOf({
      name: "ext-authz",
      title: "an authorizer over gRPC that allows",
      ours: "hauberk-authorizer",
      envoys: "envoy-authorizer",
      check: heedsAuthorizer,
      goal: 1.5,
    }),
  ];
}

function figureOf({ name, title, ours, envoys, tokens, check, goal }: Step): Figure {
  return {
    name,
    title: `${title}; 200 B, ${CONNECTIONS} connections`,
    unit: "request",
    leastCycles: LEAST_CYCLES,
    stacks: [OURS, ENVOY, ours, envoys],
    check: async (stack, pair) => {
      if (stack === ours || stack === envoys) await check?.(pair);
    },
    startLoad: ({ caller }, { wrk }) =>
      wrk({
        port: caller.ports.http ?? 0,
        path: "/small",
        connections: CONNECTIONS,
        ...(tokens && { tokens }),
      }),
    goals: [
      {
        name: `CPU that ${name} adds to a request, by Envoy`,
        bound: "at most",
        judged: "worse quartile",
        of: [OURS, ENVOY, ours, envoys],
        ratio: (cycle) => added(cycle, ours, OURS) / added(cycle, envoys, ENVOY),
        goal,
      },
    ],
  };
}

/** Microseconds at the callee's proxy. */
function added(cycle: Cycle, withStep: StackName, without: StackName): number {
  return calleeCpuPerRequest(cycle(withStep)) - calleeCpuPerRequest(cycle(without));
}

const FORGED = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIn0.AAAA";

async function refusesForgedToken(pair: Pair): Promise<void> {
  const status = await statusOf(pair, { authorization: `Bearer ${FORGED}` });
  if (status !== 401) throw new Error(`a forged token was answered ${status}, expected 401`);
}

async function heedsAuthorizer(pair: Pair): Promise<void> {
  const status = await statusOf(pair, { "x-bench": "to be refused" });
  if (status !== 403)
    throw new Error(`what the authorizer refuses was answered ${status}, expected 403`);
}

async function statusOf(
  { caller }: Pair,
  headers: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const place = { host: "127.0.0.1", port: caller.ports.http ?? 0, path: "/small" };
  const asked = request({ ...place, headers, agent: false }).end();
  const [answer] = await once(asked, "response");
  answer.resume();
  return answer.statusCode;
}
