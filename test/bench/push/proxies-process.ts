/** Many simulated proxies in a process of their own. */
import type { FromProxies, SimulatedPod, ToProxies, TypeCount } from "./control-messages.ts";
import type { ReadResponse } from "./read-response.ts";
import { SimulatedProxy } from "./simulated-proxy.ts";

interface Counting {
  readonly seen: Set<SimulatedProxy>;
  bytes: number;
  plainBytes: number;
  first: bigint;
  last: bigint;
}

const BASE_PAUSE_MS = 500;
const MAX_PAUSE_MS = 30_000;

const counts = new Map<string, Counting>();
const proxies = new Set<SimulatedProxy>();

function tell(message: FromProxies): void {
  process.send?.(message);
}

process.on("message", (message: ToProxies) => {
  if (message.type === "connect") connectAll(message);
  else if (message.type === "count") counts.clear();
  else tell({ type: "counts", counts: { types: Object.fromEntries([...counts].map(told)) } });
});
process.on("disconnect", () => process.exit());

function connectAll(options: Extract<ToProxies, { readonly type: "connect" }>): void {
  const started = performance.now();
  let synced = 0;
  let refused = 0;
  const open = (pod: SimulatedPod, failures: number): void => {
    let isSynced = false;
    let isOver = false;
    const { port, rootPem } = options;
    const proxy = new SimulatedProxy(
      { ...pod, port, rootPem },
      {
        onResponse: count,
        onSynced: () => {
          isSynced = true;
          synced++;
          if (synced < options.proxies.length) return;
          tell({ type: "synced", seconds: (performance.now() - started) / 1000, refused });
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

/** As Envoy waits before it tries again. */
function pauseMs(failures: number): number {
  return Math.random() * Math.min(BASE_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS);
}

function count(
  proxy: SimulatedProxy,
  { typeUrl, bytes: plain }: Pick<ReadResponse, "typeUrl" | "bytes">,
  bytes: number,
): void {
  const now = process.hrtime.bigint();
  const type = typeUrl.slice(typeUrl.lastIndexOf(".") + 1);
  const none = { seen: new Set<SimulatedProxy>(), bytes: 0, plainBytes: 0, first: now, last: now };
  const counting = counts.get(type) ?? none;
  counts.set(type, counting);
  counting.bytes += bytes;
  counting.plainBytes += plain.length;
  if (counting.seen.has(proxy)) return;
  counting.seen.add(proxy);
  counting.last = now;
}

function told([type, { seen, first, last, ...counted }]: [string, Counting]): [string, TypeCount] {
  return [type, { ...counted, proxies: seen.size, first: String(first), last: String(last) }];
}
