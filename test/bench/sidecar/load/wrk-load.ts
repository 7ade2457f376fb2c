/** HTTP/1.1 as fast as it is answered, by wrk, which compares every body; how many were served is counted at the application. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { BODIES, type BodyPath } from "../bodies.ts";
import type { Origin } from "../origin.ts";
import type { Program } from "../programs.ts";
import { requestBytes } from "./answer-reader.ts";
import type { LoadResult } from "./load-messages.ts";
import type { RunningLoad } from "./running-load.ts";

/** It is ended by a signal, long before. */
const DURATION = "600s";
const TIMEOUT = "10s";

export interface WrkOrder {
  readonly port: number;
  readonly path: BodyPath;
  readonly connections: number;
  /** "each request": a new connection for each. */
  readonly reconnect?: "each request";
  /** Shown as `Authorization: Bearer`: one, or many in turn. */
  readonly tokens?: "one" | "many";
}

export async function startWrk(
  order: WrkOrder,
  {
    wrk,
    origin,
    folder,
    tokens,
  }: {
    readonly wrk: Program;
    readonly origin: Origin;
    readonly folder: string;
    /** A file with one on each line. */
    readonly tokens?: string;
  },
): Promise<RunningLoad> {
  const { port, path, connections } = order;
  const script = join(folder, `wrk-${port}-${connections}.lua`);
  writeFileSync(script, scriptFor(order) + (tokens === undefined ? "" : showing(tokens)));
  return runWrk({ wrk, origin, script, connections, url: `http://127.0.0.1:${port}${path}` });
}

/** @param order.script what wrk asks, and what it compares */
export async function runWrk({
  wrk,
  origin,
  script,
  connections,
  url,
}: {
  readonly wrk: Program;
  readonly origin: Origin;
  readonly script: string;
  readonly connections: number;
  readonly url: string;
}): Promise<RunningLoad> {
  const flags = ["-t1", `-c${connections}`, `-d${DURATION}`, "--timeout", TIMEOUT, "-s", script];
  const child = spawn(wrk.path, [...flags, url], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...wrk.environment },
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  await once(child, "spawn");
  let before = 0;
  return {
    begin: async () => {
      before = await origin.served();
    },
    end: async () => {
      const done = (await origin.served()) - before;
      if (child.exitCode === null) {
        child.kill("SIGINT");
        await once(child, "exit");
      }
      return { done, errors: errorsIn((await output).join("")) };
    },
  };
}

function scriptFor({ path, reconnect }: WrkOrder): string {
  const fields = requestBytes(path).toString().split("\r\n").slice(1, -2);
  if (reconnect !== undefined) fields.push("Connection: close");
  const headers = fields.map((field) => {
    const colon = field.indexOf(": ");
    return `wrk.headers["${field.slice(0, colon)}"] = "${field.slice(colon + 2)}"`;
  });
  return `
${headers.join("\n")}
local expected = "${BODIES[path]}"
local threads = {}
wrong = 0
statuses = ""
function setup(thread) table.insert(threads, thread) end
function response(status, headers, body)
  if status ~= 200 then statuses = statuses .. status .. " " end
  if body ~= expected then wrong = wrong + 1 end
end
function done(summary, latency, requests)
  local e = summary.errors
  local bad, seen = 0, ""
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("wrong")
    seen = seen .. thread:get("statuses")
  end
  print("ERRORS connect=" .. e.connect .. " read=" .. e.read .. " write=" .. e.write ..
    " timeout=" .. e.timeout .. " status=" .. e.status .. " body=" .. bad .. " seen=" .. seen:sub(1, 40))
end
`;
}

/** Requests are written before the load begins: then that costs it nothing. */
function showing(file: string): string {
  return `
local written, at = {}, 0
function init()
  for token in io.lines("${file}") do
    wrk.headers["Authorization"] = "Bearer " .. token
    written[#written + 1] = wrk.format()
  end
end
function request()
  at = at % #written + 1
  return written[at]
end
`;
}

/** @param output of wrk, with what the script prints at its end */
export function errorsIn(output: string): LoadResult["errors"] {
  const line = /^ERRORS (.*)$/m.exec(output)?.[1];
  if (line === undefined) return [`wrk told nothing: ${output.slice(0, 300)}`];
  const isGood = /^(?:\w+=0 )+seen=$/.test(line.trim());
  return isGood ? [] : [`wrk saw ${line.trim()}`];
}
