/** A real Redis of one's own, that can be killed, stopped and started again at the same port. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { until } from "./until.ts";

export interface RedisServer {
  readonly port: number;
  start(): Promise<void>;
  /** Without a word, and without what it knew. */
  kill(): Promise<void>;
  /** It stands still, with all its connections. */
  freeze(): void;
  thaw(): void;
  /** @returns what redis-cli prints */
  ask(...command: readonly string[]): string;
}

/**
 * @param parameters more of `redis-server`
 * @param ways more of `redis-cli`
 */
export function redisServer(
  port: number,
  parameters: readonly string[] = [],
  ways: readonly string[] = [],
): RedisServer {
  let child: ChildProcess | undefined;
  const ask = (...command: readonly string[]): string =>
    spawnSync("redis-cli", ["-p", String(port), ...ways, ...command], {
      encoding: "utf8",
    }).stdout.trim();
  return {
    port,
    ask,
    async start() {
      const own = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
      child = spawn("redis-server", [...own, "--appendonly", "no", ...parameters], {
        stdio: "ignore",
      });
      await until("Redis", async () => /PONG|NOAUTH/.test(ask("ping")));
    },
    async kill() {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    },
    freeze: () => void child?.kill("SIGSTOP"),
    thaw: () => void child?.kill("SIGCONT"),
  };
}
