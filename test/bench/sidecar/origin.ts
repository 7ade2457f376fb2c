/** The applications behind the callee: HTTP by nginx, which counts what it serves; gRPC and TCP by a process of ours. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { freePort } from "../../kit/free-port.ts";
import { BODIES, LARGE_QUARTER } from "./bodies.ts";
import { LOAD_CORE, startPinned } from "./measured-process.ts";
import { writePeerConfiguration } from "./peer-configuration.ts";
import type { Program } from "./programs.ts";
import type { Ports } from "./proxy-side.ts";
import { untilListening } from "./until-listening.ts";

export interface Origin {
  readonly ports: Ports;
  /** Requests of HTTP so far, without this question. */
  served(): Promise<number>;
  stop(): Promise<void>;
}

export async function startOrigin(folder: string, nginx: Program): Promise<Origin> {
  const listen = await freePort();
  const bodies = { small: BODIES["/small"], quarter: LARGE_QUARTER };
  const file = writePeerConfiguration("origin-nginx.conf", { folder, listen, ...bodies });
  const log = join(folder, "origin.log");
  const process = await startPinned([nginx.path, "-c", file, "-p", folder, "-e", log], {
    core: LOAD_CORE,
    log,
    environment: nginx.environment,
  });
  await untilListening(listen, log);
  const other = fork(join(import.meta.dirname, "load", "origin-process.ts"));
  const [ports] = (await once(other, "message")) as [Ports]; // our own program
  let asked = 0;
  return {
    ports: { http: listen, ...ports },
    served: async () => {
      asked += 1;
      return (await countAt(listen)) - asked;
    },
    stop: async () => {
      other.disconnect();
      await process.stop();
    },
  };
}

async function countAt(port: number): Promise<number> {
  const request = get({ port, path: "/served", agent: false });
  const [answer] = await once(request, "response");
  const [, count] = /^ \d+ \d+ (\d+)/m.exec(await text(answer)) ?? [];
  if (count === undefined) throw new Error("the application does not tell how much it served");
  return Number(count);
}
