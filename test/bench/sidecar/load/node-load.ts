/** A load in a process of ours. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { FromLoad, LoadOrder, LoadResult, ToLoad } from "./load-messages.ts";
import type { RunningLoad } from "./running-load.ts";

export async function startNodeLoad(order: LoadOrder): Promise<RunningLoad> {
  const child = fork(join(import.meta.dirname, "load-process.ts"));
  await ask(child, order);
  return {
    begin: async () => {
      await ask(child, { kind: "begin" });
    },
    end: async (): Promise<LoadResult> => {
      const gone = once(child, "exit");
      const answer = await ask(child, { kind: "end" });
      await gone;
      if (answer.kind !== "ended") throw new Error("the load did not say what it did");
      return answer.result;
    },
  };
}

async function ask(child: ChildProcess, message: ToLoad): Promise<FromLoad> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the load ended with ${code}`);
  });
  const answer = once(child, "message").then(([received]) => received as FromLoad); // our own program
  child.send(message);
  return Promise.race([answer, ended]);
}
