/**
 * Node's HTTP/2 as a judge. Now and then it aborts its process by an assertion of its own (nodejs/node `src/node_http2.cc`),
 * which says nothing of what it reads: it is asked the same again, in the next process.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { NodeRequest } from "../../kit/node-http2.ts";

const PROGRAM = join(import.meta.dirname, "node-http2-process.ts");
/** For the same connections; more than these would be something that they do. */
const MOST_ABORTS = 3;

export type ReadByNode = readonly (readonly NodeRequest[])[];

export class NodeHttp2Judge {
  #process: ChildProcess | undefined;
  #aborts = 0;

  /** How often the process was started anew. */
  get aborts(): number {
    return this.#aborts;
  }

  /** @throws Error when its process ends other than by an assertion of Node's, or again and again */
  async read(connections: readonly Buffer[]): Promise<ReadByNode> {
    for (let tries = 0; ; tries++) {
      this.#process ??= fork(PROGRAM, {
        serialization: "advanced",
        stdio: ["ignore", "inherit", "pipe", "ipc"],
      });
      const answer = await asked(this.#process, connections);
      if (!("aborted" in answer)) return answer.read;
      this.#process = undefined;
      if (!answer.aborted || tries === MOST_ABORTS) throw new Error(answer.errors);
      this.#aborts++;
    }
  }

  close(): void {
    this.#process?.disconnect();
    this.#process = undefined;
  }
}

type Answer =
  | { readonly read: ReadByNode }
  | { readonly aborted: boolean; readonly errors: string };

async function asked(child: ChildProcess, connections: readonly Buffer[]): Promise<Answer> {
  let errors = "";
  const gather = (part: Buffer): void => {
    errors += part.toString();
  };
  child.stderr?.on("data", gather);
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    const answered = once(child, "message", { signal }).then(([read]): Answer => ({ read }));
    const ended = once(child, "close", { signal }).then(([code, by]): Answer => {
      const aborted = by === "SIGABRT" && /node_http2\.cc:\d+/.test(errors);
      return { aborted, errors: `Node's HTTP/2 ended with ${by ?? code}: ${errors}` };
    });
    child.send(connections, () => {}); // that it has ended is told otherwise
    return await Promise.race([answered, ended]);
  } finally {
    waiting.abort();
    child.stderr?.off("data", gather);
  }
}
