/** The calls of a scenario: as load, over and over by wrk, and each once, to hear what becomes of it. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import type { MixedRequest } from "../policy/mixed-rules.ts";
import type { RunningLoad } from "../sidecar/load/running-load.ts";
import { runWrk } from "../sidecar/load/wrk-load.ts";
import type { Origin } from "../sidecar/origin.ts";
import type { Program } from "../sidecar/programs.ts";
import { PEER_HEADER } from "./callers-configuration.ts";
import type { RuleScenario } from "./rule-scenarios.ts";

const LOOPBACK = "127.0.0.1";
const CONNECTIONS = 8;
const ALLOWED = 200;
const REFUSED = 403;

export interface RuledLoad {
  /** Where the scenario's callers are called. */
  readonly port: number;
  readonly scenario: RuleScenario;
  readonly wrk: Program;
  readonly origin: Origin;
  readonly folder: string;
}

/** Calls that the rules allow, so that all do the same beside being judged. */
export async function startRuledLoad({
  port,
  scenario,
  wrk,
  origin,
  folder,
}: RuledLoad): Promise<RunningLoad> {
  const script = join(folder, `wrk-${port}.lua`);
  writeFileSync(script, scriptFor(scenario));
  const url = `http://${LOOPBACK}:${port}/`;
  return runWrk({ wrk, origin, script, connections: CONNECTIONS, url });
}

function fieldsOf(
  { host, headers, principal }: MixedRequest,
  { peers }: RuleScenario,
): Readonly<Record<string, string>> {
  return { ...headers, Host: host, [PEER_HEADER]: String(peers.indexOf(principal)) };
}

/** Nothing in them would have to be quoted. */
function scriptFor(scenario: RuleScenario): string {
  const lines = scenario.allowed.map((call) => {
    const fields = Object.entries(fieldsOf(call, scenario));
    const table = fields.map(([name, value]) => `["${name}"]="${value}"`).join(", ");
    return `  written[#written + 1] = wrk.format("${call.method}", "${call.path}", {${table}})`;
  });
  return `
local written, at, threads = {}, 0, {}
wrong = 0
function init()
${lines.join("\n")}
end
function request()
  at = at % #written + 1
  return written[at]
end
function setup(thread) table.insert(threads, thread) end
function response(status) if status ~= ${ALLOWED} then wrong = wrong + 1 end end
function done(summary)
  local e, bad = summary.errors, 0
  for _, thread in ipairs(threads) do bad = bad + thread:get("wrong") end
  print("ERRORS connect=" .. e.connect .. " read=" .. e.read .. " write=" .. e.write ..
    " timeout=" .. e.timeout .. " status=" .. e.status .. " body=" .. bad .. " seen=")
end
`;
}

/** @returns in words, calls of which something else became than the engine says */
export async function wrongVerdicts(
  scenario: RuleScenario,
  port: number,
): Promise<readonly string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const wrong: string[] = [];
  const expect = async (call: MixedRequest, expected: number): Promise<void> => {
    const { method, path } = call;
    const headers = fieldsOf(call, scenario);
    const asked = request({ host: LOOPBACK, port, method, path, headers, agent }).end();
    const [answer] = await once(asked, "response");
    answer.resume();
    await once(answer, "end");
    if (answer.statusCode !== expected)
      wrong.push(`${call.principal} ${method} ${path}: ${answer.statusCode}, not ${expected}`);
  };
  try {
    for (const call of scenario.allowed) await expect(call, ALLOWED);
    for (const call of scenario.refused) await expect(call, REFUSED);
  } finally {
    agent.destroy();
  }
  return wrong;
}
