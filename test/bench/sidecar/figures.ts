/** The comparisons and their goals. */
import { against, type Figure, type FigureGoal } from "./figure.ts";
import {
  calleeCpuPerRequest,
  callerCpuPerRequest,
  cpuPerRequest,
  ratePerSecond,
  type Slice,
} from "./slice.ts";
import type { StackName } from "./stacks.ts";

const CONNECTIONS = 64;
const OPEN_LOOP_RATE = 1_000;
const OPEN_LOOP_CYCLES = 9;
/** Fewer, since Envoy answers hardly a hundred a second with 10,000 rules. */
const RULES_CONNECTIONS = 32;
const HANDSHAKES_AT_ONCE = 8;
const GRPC = { kind: "grpc", connections: 4, calls: 16 } as const;
const TCP_CONNECTIONS = 8;
/** Since which OpenSSL is fast enough for the narrower goal. */
const NODE_WITH_FAST_TLS = 24;

const OURS = "hauberk";
const ENVOY = "envoy-h1";
/** So many connections are open, with all their handshakes, before anything is looked at. */
const MANY_CONNECTIONS = 500;
const LONG_RAMP = 4;

const AT_MOST = { bound: "at most", judged: "worse quartile" } as const;
const AT_LEAST = { bound: "at least", judged: "worse quartile" } as const;
const MEDIAN = { bound: "at most", judged: "median" } as const;

/** @param nodeVersion major, of the interpreter that runs our sidecars */
export function figuresFor(nodeVersion: number): readonly Figure[] {
  return [
    small(),
    large(),
    foreign(),
    openLoop(),
    memory({ connections: 100, goal: 1.8 }),
    memory({ connections: 1_000, goal: 1.3 }),
    handshakes(nodeVersion),
    rules(),
    grpc(),
    tcp(),
    newConnections(),
  ];
}

function cpuOf(peer: StackName, goal: number, aim: number): Omit<FigureGoal, "name"> {
  return { ...AT_MOST, ...against(cpuPerRequest, { ours: OURS, peer }), goal, aim };
}

function small(): Figure {
  return {
    name: "h1-200",
    title: `200 B, ${CONNECTIONS} connections, as fast as it goes`,
    unit: "request",
    stacks: [OURS, ENVOY, "envoy-h2", "nginx", "haproxy"],
    startLoad: ({ caller }, { wrk }) =>
      wrk({ port: caller.ports.http ?? 0, path: "/small", connections: CONNECTIONS }),
    goals: [
      { name: "CPU per request, 200 B, by Envoy with HTTP/1.1", ...cpuOf(ENVOY, 0.4, 0.2) },
      { name: "CPU per request, 200 B, by Envoy with HTTP/2", ...cpuOf("envoy-h2", 0.75, 0.35) },
      { name: "CPU per request, 200 B, by nginx", ...cpuOf("nginx", 1.2, 0.7) },
      {
        name: "requests a second at saturation, by Envoy",
        ...AT_LEAST,
        ...against(ratePerSecond, { ours: OURS, peer: ENVOY }),
        goal: 2.5,
        aim: 5,
      },
    ],
  };
}

function large(): Figure {
  return {
    name: "h1-10k",
    title: `10 KB, ${CONNECTIONS} connections, as fast as it goes`,
    unit: "request",
    stacks: [OURS, ENVOY, "envoy-h2", "nginx", "haproxy"],
    startLoad: ({ caller }, { wrk }) =>
      wrk({ port: caller.ports.http ?? 0, path: "/large", connections: CONNECTIONS }),
    goals: [{ name: "CPU per request, 10 KB, by Envoy", ...cpuOf(ENVOY, 0.5, 0.3) }],
  };
}

/** Our two halves, each beside an Envoy, by two Envoys. */
function foreign(): Figure {
  const [calling, called] = ["hauberk-to-envoy", "envoy-to-hauberk"] as const;
  return {
    name: "foreign",
    title: "200 B, HTTP/1.1 to and from a peer that is not ours",
    unit: "request",
    stacks: [calling, ENVOY, called],
    startLoad: ({ caller }, { wrk }) =>
      wrk({ port: caller.ports.http ?? 0, path: "/small", connections: CONNECTIONS }),
    goals: [
      {
        name: "CPU per request, HTTP/1.1 to a foreign peer, by Envoy",
        ...AT_MOST,
        of: [calling, ENVOY, called],
        ratio: (cycle) =>
          (callerCpuPerRequest(cycle(calling)) + calleeCpuPerRequest(cycle(called))) /
          cpuPerRequest(cycle(ENVOY)),
        goal: 0.5,
        aim: 0.35,
      },
    ],
  };
}

function openLoop(): Figure {
  const [p50, p99] = [latencyAt("p50"), latencyAt("p99")];
  const pair = { ours: OURS, peer: ENVOY } as const;
  return {
    name: "open-loop",
    title: `200 B, ${OPEN_LOOP_RATE} requests a second whatever the answers do`,
    unit: "request",
    stacks: [OURS, ENVOY, "envoy-h2", "nginx", "haproxy"],
    leastCycles: OPEN_LOOP_CYCLES,
    startLoad: ({ caller }, { load }) =>
      load({
        kind: "open loop",
        port: caller.ports.http ?? 0,
        path: "/small",
        connections: CONNECTIONS,
        ratePerSecond: OPEN_LOOP_RATE,
      }),
    goals: [
      { name: "p50 at 1,000/s, by Envoy", ...MEDIAN, ...against(p50, pair), goal: 1, aim: 0.8 },
      { name: "p99 at 1,000/s, by Envoy", ...MEDIAN, ...against(p99, pair), goal: 1.5, aim: 1 },
    ],
  };
}

function latencyAt(percentile: "p50" | "p99"): (slice: Slice) => number {
  return ({ latency }) => latency?.[percentile] ?? Number.NaN;
}

function memory({
  connections,
  goal,
}: {
  readonly connections: number;
  readonly goal: number;
}): Figure {
  const resident = against((slice) => slice.memory, { ours: OURS, peer: ENVOY });
  return {
    name: `memory-${connections}`,
    title: `memory under load, ${connections} connections`,
    unit: "request",
    ...(connections > MANY_CONNECTIONS && { rampFactor: LONG_RAMP }),
    stacks: [OURS, ENVOY, "envoy-h2", "nginx", "haproxy"],
    startLoad: ({ caller }, { wrk }) =>
      wrk({ port: caller.ports.http ?? 0, path: "/small", connections }),
    goals: [
      { name: `RSS at ${connections} connections, by Envoy`, ...MEDIAN, ...resident, goal, aim: 1 },
    ],
  };
}

function handshakes(nodeVersion: number): Figure {
  const fast = nodeVersion >= NODE_WITH_FAST_TLS;
  return {
    name: "handshakes",
    title: `full mTLS handshakes at the callee's proxy, one request each, ${HANDSHAKES_AT_ONCE} at once`,
    unit: "connection",
    stacks: [OURS, ENVOY, "nginx", "haproxy"],
    startLoad: ({ callee }, { load }) => {
      const files = callee.clients?.caller;
      if (files === undefined) throw new Error("the callee's proxy names no client");
      const port = callee.ports.http ?? 0;
      const connections = HANDSHAKES_AT_ONCE;
      return load({ kind: "handshakes", port, path: "/small", connections, files });
    },
    goals: [
      {
        name: `CPU per full handshake on Node ${nodeVersion}, by Envoy`,
        ...AT_MOST,
        ...against(calleeCpuPerRequest, { ours: OURS, peer: ENVOY }),
        goal: fast ? 2.6 : 4.5,
        aim: fast ? 2 : 3,
      },
    ],
  };
}

function rules(): Figure {
  const [few, many] = ["hauberk-10-rules", "hauberk-10000-rules"] as const;
  return {
    name: "rules",
    title: "200 B, 10 and 10,000 authorization rules; Envoy has them in istiod's form",
    unit: "request",
    stacks: [many, few, "envoy-10-rules", "envoy-10000-rules"],
    startLoad: ({ caller }, { wrk }) =>
      wrk({ port: caller.ports.http ?? 0, path: "/small", connections: RULES_CONNECTIONS }),
    goals: [
      {
        name: "CPU per request with 10,000 rules, by that with 10",
        ...AT_MOST,
        ...against(cpuPerRequest, { ours: many, peer: few }),
        goal: 1.15,
        aim: 1.05,
      },
    ],
  };
}

function grpc(): Figure {
  return {
    name: "grpc",
    title: `unary gRPC calls of 200 B, ${GRPC.connections} connections with ${GRPC.calls} calls at a time`,
    unit: "call",
    stacks: [OURS, "envoy-h2"],
    startLoad: ({ caller }, { load }) => load({ ...GRPC, port: caller.ports.grpc ?? 0 }),
    goals: [],
  };
}

function tcp(): Figure {
  return {
    name: "tcp",
    title: `TCP from the callee, ${TCP_CONNECTIONS} connections`,
    unit: "MB",
    stacks: [OURS, ENVOY],
    startLoad: ({ caller }, { load }) =>
      load({ kind: "tcp", port: caller.ports.tcp ?? 0, connections: TCP_CONNECTIONS }),
    goals: [],
  };
}

function newConnections(): Figure {
  return {
    name: "connections",
    title: "200 B, a new connection of the application for each request",
    unit: "connection",
    stacks: [OURS, ENVOY, "envoy-h2", "nginx", "haproxy"],
    startLoad: ({ caller }, { wrk }) =>
      wrk({
        port: caller.ports.http ?? 0,
        path: "/small",
        connections: CONNECTIONS,
        reconnect: "each request",
      }),
    goals: [],
  };
}
