/** Many simulated proxies in a process of their own. */
import { createSecureContext } from "node:tls";
import type { FromProxies, SimulatedPod, ToProxies, TypeCount } from "./control-messages.ts";
import { type ResponseEnd, readResources } from "./read-response.ts";
import { type ProxyEvents, SimulatedProxy } from "./simulated-proxy.ts";

interface Counting {
  readonly seen: Set<SimulatedProxy>;
  /** Unpacked only when somebody asks: each agent does that on a machine of its own. */
  readonly responses: { readonly message: Buffer; readonly end: ResponseEnd }[];
  bytes: number;
  first: bigint;
  last: bigint;
}

const BASE_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

const counts = new Map<string, Counting>();
let isCounting = false;
let cpuBefore: NodeJS.CpuUsage = process.cpuUsage();
const proxies = new Set<SimulatedProxy>();

function tell(message: FromProxies): void {
  process.send?.(message);
}

process.on("message", (message: ToProxies) => {
  if (message.type === "connect") connectAll(message);
  else if (message.type === "count") {
    isCounting = true;
    counts.clear();
    cpuBefore = process.cpuUsage();
  } else {
    const cpuSeconds = cpuSince(cpuBefore); // before responses are unpacked to be counted
    const types = Object.fromEntries([...counts].map(told));
    tell({ type: "counts", counts: { cpuSeconds, types } });
  }
});
process.on("disconnect", () => process.exit());

function connectAll(options: Extract<ToProxies, { readonly type: "connect" }>): void {
  const started = performance.now();
  cpuBefore = process.cpuUsage();
  let synced = 0;
  let refused = 0;
  const { port, rootPem } = options;
  const context = createSecureContext({ ca: rootPem });
  const open = (pod: SimulatedPod, failures: number): void => {
    let isSynced = false;
    let isOver = false;
    const proxy = new SimulatedProxy(
      { ...pod, port, context },
      {
        onResponse: count,
        onSynced: () => {
          isSynced = true;
          synced++;
          if (synced < options.proxies.length) return;
          const seconds = (performance.now() - started) / 1000;
          tell({ type: "synced", seconds, refused, cpuSeconds: cpuSince(cpuBefore) });
        },
        onEnd: (_, status) => {
          if (isOver) return;
          isOver = true;
          proxies.delete(proxy);
          proxy.close();
          refused++;
          if (refused <= 3) console.error(`a proxy was refused: ${status}`);
          if (!isSynced) setTimeout(() => open(pod, failures + 1), pauseMs(failures));
        },
      },
    );
    proxies.add(proxy);
  };
  for (const pod of options.proxies) open(pod, 0);
}

function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** As Envoy waits before it tries again. */
function pauseMs(failures: number): number {
  return Math.random() * Math.min(BASE_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS);
}

const count: ProxyEvents["onResponse"] = (proxy, { message, end, size }) => {
  if (!isCounting) return;
  const now = process.hrtime.bigint();
  const type = end.typeUrl.slice(end.typeUrl.lastIndexOf(".") + 1);
  const none = { seen: new Set<SimulatedProxy>(), responses: [], bytes: 0, first: now, last: now };
  const counting = counts.get(type) ?? none;
  counts.set(type, counting);
  counting.bytes += size;
  counting.responses.push({ message: Buffer.from(message), end });
  if (counting.seen.has(proxy)) return;
  counting.seen.add(proxy);
  counting.last = now;
};

function told([type, counting]: [string, Counting]): [string, TypeCount] {
  const { seen, responses, bytes, first, last } = counting;
  const plainBytes = responses.reduce((sum, { message, end }) => {
    return sum + readResources(message, end).bytes + message.length - end.at;
  }, 0);
  return [
    type,
    { proxies: seen.size, bytes, plainBytes, first: String(first), last: String(last) },
  ];
}
