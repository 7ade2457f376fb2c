/**
 * Requests per handshake while endpoints come and go: our pair under load, the callee behind several endpoints, of which
 * the caller's view names all but one, another one every second. None is ever out of service: no request may fail.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { rounded, type Target } from "../goals.ts";
import type { BenchGround } from "./bench-ground.ts";
import { callerView, hauberkSide, startSidecarProcess, withEndpoints } from "./hauberk-side.ts";
import type { RelayOrder, RelayReport } from "./load/relay-messages.ts";
import { measureSlice } from "./slice.ts";

const ENDPOINTS = 3;
const CHANGE_MS = 1_000;
const CONNECTIONS = 64;
const CHANGES = 10;
const GOAL = 1_000;

export const CHURN = "churn";
export const CHURN_TITLE: string = `200 B, ${CONNECTIONS} connections, an endpoint leaves and another comes every second`;

export async function measureChurn(
  { context, wrk }: BenchGround,
  { rampMs, print }: { readonly rampMs: number; readonly print: (line: string) => void },
): Promise<readonly Target[]> {
  const callee = await hauberkSide().startCallee(context);
  const relay = await startRelay(callee.ports.http ?? 0);
  const { view, ports } = await callerView(context, { http: callee.ports.http ?? 0 });
  const viewWithout = (index: number) =>
    withEndpoints(view, relay.ports.toSpliced(index % ENDPOINTS, 1));
  const process = await startSidecarProcess(context, viewWithout(0));
  const control = await context.controlPlane();
  let changes = 0;
  const timer = setInterval(() => control.setView(viewWithout(++changes)), CHANGE_MS);
  try {
    const port = ports.http ?? 0;
    const load = await wrk({ port, path: "/small", connections: CONNECTIONS });
    let before = 0;
    const counted = {
      begin: async () => {
        await load.begin();
        before = await relay.connections();
      },
      end: async () => load.end(),
    };
    const length = { rampMs: rampMs + CHANGE_MS, seconds: (CHANGES * CHANGE_MS) / 1000 };
    const pair = { caller: { process, ports }, callee, stop: () => Promise.resolve() };
    const slice = await measureSlice(pair, counted, length);
    const handshakes = (await relay.connections()) - before;
    for (const error of slice.errors) print(`  void: ${error}`);
    print(`  ${rounded(slice.done)} requests, ${handshakes} handshakes, ${CHANGES} changes`);
    const figure = slice.errors.length > 0 ? Number.NaN : slice.done / Math.max(1, handshakes);
    const name = "requests per handshake under endpoint churn";
    return [{ name, figure, unit: "", bound: "at least", goal: GOAL }];
  } finally {
    clearInterval(timer);
    await Promise.all([process.stop(), callee.process.stop()]);
    relay.stop();
  }
}

async function startRelay(port: number): Promise<{
  readonly ports: number[];
  /** So far. */
  connections(): Promise<number>;
  stop(): void;
}> {
  const child = fork(join(import.meta.dirname, "load", "counting-relay.ts"));
  const ask = async (order: RelayOrder): Promise<RelayReport> => {
    child.send(order);
    const [report] = (await once(child, "message")) as [RelayReport]; // our own program
    return report;
  };
  const started = await ask({ kind: "start", port, endpoints: ENDPOINTS });
  return {
    ports: started.kind === "listening" ? [...started.ports] : [],
    connections: async () => {
      const report = await ask({ kind: "count" });
      return report.kind === "count" ? report.connections : 0;
    },
    stop: () => child.disconnect(),
  };
}
