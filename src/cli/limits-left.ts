/** What the callee's sidecar, in the mesh that runs, would still let through of each limit that counts a request. */
import { DataDirectory, DEFAULT_DATA_DIRECTORY } from "../local/data-directory.ts";
import { MeshClient } from "../local/joining/mesh-client.ts";
import { askSidecar } from "../local/pods/ask-sidecar.ts";
import { rateLimitId } from "../policy/applied-rate-limits.ts";
import type { ConcerningLimit } from "../policy/rate-limits/limit-sentences.ts";
import type { Workload } from "../policy/workload.ts";
import type { LimitLeft } from "../proxy/rate-limits/known-limits.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Undefined: no mesh runs, or nobody there counts for it. */
export type LimitsLeft = readonly (LimitLeft | undefined)[];

/** One for each limit. A mesh that does not run is none. */
export async function limitsLeft(
  limits: readonly ConcerningLimit[],
  {
    to,
    data = DEFAULT_DATA_DIRECTORY,
  }: { readonly to: Workload; readonly data?: string | undefined },
): Promise<LimitsLeft> {
  if (limits.length === 0) return [];
  try {
    const socket = await adminSocketOf(to, data);
    return await Promise.all(limits.map((limit) => askLeft(limit, socket)));
  } catch (error) {
    if (error instanceof HauberkError) return limits.map(() => undefined);
    throw error;
  }
}

/** In words; "" where it is not known. */
export function leftInWords(found: LimitLeft | undefined): string {
  if (found === undefined) return "";
  const { left, waitMs } = found;
  if (left > 0 || waitMs === 0) return `; ${left} left now`;
  return waitMs === null ? "; none left now" : `; none left now, room again in ${waitMs} ms`;
}

async function adminSocketOf(
  { namespace, name }: Workload,
  data: string,
): Promise<string | undefined> {
  const client = await MeshClient.connect(new DataDirectory(data));
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
  if (socket === undefined || limit.scope === "Global") return undefined;
  const asked = new URLSearchParams({ limit: rateLimitId(limit), ...asker });
  try {
    return JSON.parse(await askSidecar(socket, { path: `/limit?${asked}` }));
  } catch (error) {
    if (error instanceof HauberkError) return undefined;
    throw error;
  }
}
