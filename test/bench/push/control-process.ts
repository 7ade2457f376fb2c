/** The whole control plane in a process of its own, as `hauberk up` starts it: what is measured is this process. */
import { openSync } from "node:fs";
import { join } from "node:path";
import { startControlPlane } from "../../../src/control/control-plane.ts";
import type { RunningNow } from "../../../src/control/control-plane-messages.ts";
import type { WrittenText } from "../../../src/control/written-texts.ts";
import { systemClock as clock } from "../../../src/runtime/clock.ts";
import { createLog } from "../../../src/runtime/log.ts";
import { LogFile } from "../../../src/runtime/log-file.ts";
import { WatchedValue } from "../../../src/runtime/watched.ts";
import type { FromControl, ToControl } from "./control-messages.ts";

const texts = new WatchedValue<readonly WrittenText[]>([]);
const running = new WatchedValue<RunningNow>({ workloads: [], resources: [] });

function tell(message: FromControl): void {
  process.send?.(message);
}

process.on("message", (message: ToControl) => {
  if (message.type === "start") void start(message);
  else if (message.type === "texts") texts.set(message.texts);
  else if (message.type === "running") running.set(message.running);
  else tellUsage();
});
process.on("disconnect", () => process.exit());

async function start(options: Extract<ToControl, { readonly type: "start" }>): Promise<void> {
  texts.set(options.texts);
  running.set(options.running);
  const file = new LogFile({
    descriptor: openSync(join(options.dataDirectory, "control-plane.log"), "a+"),
  });
  const { listen, rootPem } = await startControlPlane({
    texts,
    running,
    dataDirectory: options.dataDirectory,
    address: "127.0.0.1",
    port: 0,
    log: createLog((line) => file.write(line), clock),
    clock,
  });
  tell({ type: "serving", port: Number(listen.split(":")[1]), rootPem: rootPem.current });
}

function tellUsage(): void {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  tell({
    type: "usage",
    cpuSeconds: (user + system) / 1e6,
    rssMb: rss / 2 ** 20,
    heapMb: heapUsed / 2 ** 20,
    externalMb: external / 2 ** 20,
    peakRssMb: process.resourceUsage().maxRSS / 2 ** 10,
  });
}
