/**
 * `hauberk run`: makes any program a workload of a running mesh for as long as it lives. Exit code: the program's own;
 * 128+n when signal n ended it; 125 when it could not join, 126 and 127 when it cannot be run, or is not there.
 */
import { setTimeout as delay } from "node:timers/promises";
import { DataDirectory } from "../../local/data-directory.ts";
import type { JoinRequest } from "../../local/joining/join-request.ts";
import { MeshClient } from "../../local/joining/mesh-client.ts";
import type { Joined } from "../../local/joining/mesh-socket-messages.ts";
import { enterPod } from "../../local/network/enter-pod.ts";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import { startProgram } from "../joined-program.ts";
import { type JoinOptions, parseJoinOptions } from "../parse-join-options.ts";
import type { Print } from "../print-line.ts";

const NOT_JOINED = 125;
/** How long the supervisor may take to end the pod. */
const FAREWELL_MS = 5_000;

export interface RunOptions extends JoinOptions {
  readonly data: string;
}

/** @param say prints for people, beside what the program prints */
export async function runCommand(
  command: readonly [string, ...string[]],
  { options, say }: { readonly options: RunOptions; readonly say: Print },
): Promise<number> {
  let client: MeshClient | undefined;
  try {
    const request = parseJoinOptions(options, command[0]);
    client = await MeshClient.connect(new DataDirectory(options.data));
    const joined = await join(client, { request, say });
    if (joined === undefined) return NOT_JOINED;
    for (const line of describeJoined(joined, request)) say(line);
    return await runJoined(command, { client, joined, say });
  } catch (error) {
    if (!(error instanceof HauberkError)) throw error;
    say(`${describeError(error)} [${error.code}]`);
    return NOT_JOINED;
  } finally {
    client?.close();
  }
}

async function join(
  client: MeshClient,
  { request, say }: { readonly request: JoinRequest; readonly say: Print },
): Promise<Joined | undefined> {
  const reply = await client.ask({ type: "join", request, processIds: [process.pid] });
  if (reply.type === "joined") return reply;
  say(`cannot join: ${reply.type === "refused" ? reply.problem : `the mesh said ${reply.type}`}`);
  return undefined;
}

async function runJoined(
  command: readonly [string, ...string[]],
  what: { readonly client: MeshClient; readonly joined: Joined; readonly say: Print },
): Promise<number> {
  const { client, joined, say } = what;
  const environment = { ...process.env, ...joined.environment };
  const entered = joined.network === "loopback" ? command : enterPod(joined.network, command);
  const program = await startProgram(entered, environment);
  if ("problem" in program) {
    say(program.problem);
    await leave(client);
    return program.failedWith;
  }
  showProgram(client, program.processId);
  let running = true;
  void client.ended.then((because) => {
    if (running) say(`${because}; ${joined.pod} is gone, and the program runs on without it`);
  });
  const code = await program.exitCode;
  running = false;
  await leave(client);
  return code;
}

/** For `status`. Refused once the program has ended; what this process starts is the workload's in any case. */
function showProgram(client: MeshClient, processId: number): void {
  client.ask({ type: "processes", processIds: [process.pid, processId] }).catch(() => {});
}

/** So that whoever waits for this command finds the name free again. */
async function leave(client: MeshClient): Promise<void> {
  const left = client.ask({ type: "leave" });
  await Promise.race([client.ended, left, delay(FAREWELL_MS, undefined, { ref: false })]);
}

function describeJoined(joined: Joined, { ports }: JoinRequest): readonly string[] {
  const { pod, identity, reachedAt, listens, notes } = joined;
  const lines = [`${pod} joined the mesh as ${identity}`];
  if (reachedAt.length > 0) lines.push(`others call it at ${reachedAt.join(", ")}`);
  if (joined.network !== "loopback") return [...lines, ...describeOwnNetwork(joined, { ports })];
  for (const { port, at } of listens) {
    const fixed = ports.some((each) => each.port === port && each.listensOn !== undefined);
    const how = fixed ? "" : `: HOST and PORT${listens.length > 1 ? `_${port}` : ""} say so`;
    lines.push(`port ${port}: the program must listen on ${at}${how}`);
  }
  lines.push(`it calls others through ${callVariables(joined)}`);
  return [...lines, ...notes.map((note) => `note: ${note}`)];
}

function describeOwnNetwork(
  { listens, notes }: Joined,
  { ports }: Pick<JoinRequest, "ports">,
): readonly string[] {
  const own = listens.map(({ at }) => at).join(", ");
  return [
    ...(ports.length > 0 ? [`it has a network of its own: it may listen on ${own}`] : []),
    "it calls others by their names, SERVICE.NAMESPACE, with no settings of its own",
    ...notes.map((note) => `note: ${note}`),
  ];
}

/** At most three services by name. */
function callVariables({ environment }: Joined): string {
  const services = Object.keys(environment).filter((name) => name.endsWith("_SERVICE_HOST"));
  const named = services.slice(0, 3).map((name) => `${name.replace(/HOST$/, "")}HOST and _PORT`);
  const more = services.length > named.length ? [`${services.length - named.length} more`] : [];
  return ["http_proxy", ...named, ...more].join(", ");
}
