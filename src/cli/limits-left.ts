/** What those who count in the mesh that runs would still let through of each limit that counts a request: sidecars, or, for all of the mesh, the control plane. */
import { MAX_COUNTERS } from "../control/control-socket-messages.ts";
import { askControlPlane } from "../local/control-plane-client.ts";
import { DataDirectory, DEFAULT_DATA_DIRECTORY } from "../local/data-directory.ts";
import { MeshClient, NoMeshError } from "../local/joining/mesh-client.ts";
import { askSidecar } from "../local/pods/ask-sidecar.ts";
import { rateLimitId } from "../policy/applied-rate-limits.ts";
import { type GlobalCounter, hashedEntry } from "../policy/global-limit-descriptor.ts";
import type { LimitLeft } from "../policy/rate-limits/limit-left.ts";
import type { ConcerningLimit } from "../policy/rate-limits/limit-sentences.ts";
import type { Workload } from "../policy/workload.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";

/** Of a global limit, why nobody says. */
export interface LeftUntold {
  readonly untold: string;
}

/** Undefined: no mesh runs, or nobody there counts for it. */
export type FoundLeft = LimitLeft | LeftUntold | undefined;
export type LimitsLeft = readonly FoundLeft[];

/** One for each limit. A mesh that does not run is none. Asking takes nothing. */
export async function limitsLeft(
  limits: readonly ConcerningLimit[],
  {
    to,
    data = DEFAULT_DATA_DIRECTORY,
  }: { readonly to: Workload; readonly data?: string | undefined },
): Promise<LimitsLeft> {
  const [local, global] = (["Local", "Global"] as const).map((scope) =>
    limits.filter(({ limit }) => limit.scope === scope),
  );
  const directory = new DataDirectory(data);
  const found = new Map<ConcerningLimit, FoundLeft>([
    ...(await localLeft(local ?? [], { to, directory })),
    ...(await globalLeft(global ?? [], directory)),
  ]);
  return limits.map((limit) => found.get(limit));
}

/** Whether it is known that there is no room. */
export function isSpent(found: FoundLeft): boolean {
  return found !== undefined && "left" in found && found.left <= 0 && found.waitMs !== 0;
}

/** In words; "" where it is not known. */
export function leftInWords(found: FoundLeft): string {
  if (found === undefined) return "";
  if ("untold" in found) return `; asked of the control plane: ${found.untold}`;
  const { left, waitMs } = found;
  if (left > 0 || waitMs === 0) return `; ${left} left now`;
  return waitMs === null ? "; none left now" : `; none left now, room again in ${waitMs} ms`;
}

type Found = readonly (readonly [ConcerningLimit, FoundLeft])[];

async function localLeft(
  limits: readonly ConcerningLimit[],
  { to, directory }: { readonly to: Workload; readonly directory: DataDirectory },
): Promise<Found> {
  if (limits.length === 0) return [];
  try {
    const socket = await adminSocketOf(to, directory);
    return await Promise.all(
      limits.map(async (limit) => [limit, await askLeft(limit, socket)] as const),
    );
  } catch (error) {
    if (error instanceof HauberkError) return [];
    throw error;
  }
}

async function adminSocketOf(
  { namespace, name }: Workload,
  directory: DataDirectory,
): Promise<string | undefined> {
  const client = await MeshClient.connect(directory);
  try {
    const reply = await client.ask({ type: "sidecar", namespace, name });
    return reply.type === "sidecar" ? reply.adminSocket : undefined;
  } finally {
    client.close();
  }
}

async function askLeft(
  { limit, asker }: ConcerningLimit,
  socket: string | undefined,
): Promise<LimitLeft | undefined> {
  if (socket === undefined) return undefined;
  const asked = new URLSearchParams({ limit: rateLimitId(limit), ...asker });
  try {
    return JSON.parse(await askSidecar(socket, { path: `/limit?${asked}` }));
  } catch (error) {
    if (error instanceof HauberkError) return undefined;
    throw error;
  }
}

async function globalLeft(
  limits: readonly ConcerningLimit[],
  directory: DataDirectory,
): Promise<Found> {
  const found: (readonly [ConcerningLimit, FoundLeft])[] = [];
  for (let from = 0; from < limits.length; from += MAX_COUNTERS) {
    const some = limits.slice(from, from + MAX_COUNTERS);
    const answers = await askCounters(some.map(counterOf), directory);
    for (const [place, limit] of some.entries())
      found.push([limit, answers[place] ?? NO_SUCH_LIMIT]);
  }
  return found;
}

/** As sidecars name it. */
function counterOf({ limit, asker: { bucket, sharer } }: ConcerningLimit): GlobalCounter {
  return {
    limit: rateLimitId(limit),
    key: hashedEntry(bucket),
    identity: limit.fair ? hashedEntry(sharer) : "",
  };
}

const NO_SUCH_LIMIT: LeftUntold = { untold: "the mesh that runs has no such limit" };
const NO_MESH: LeftUntold = { untold: "no mesh runs here" };

async function askCounters(
  counters: readonly GlobalCounter[],
  directory: DataDirectory,
): Promise<readonly (LimitLeft | LeftUntold | null)[]> {
  try {
    const reply = await askControlPlane(directory, { type: "limits-left", counters });
    if (reply.type === "limits-left") return reply.left;
    const untold = reply.type === "refused" ? reply.problem : "it answers something else";
    return counters.map(() => ({ untold }));
  } catch (error) {
    if (error instanceof NoMeshError) return counters.map(() => NO_MESH);
    if (error instanceof HauberkError)
      return counters.map(() => ({ untold: describeError(error) }));
    throw error;
  }
}
