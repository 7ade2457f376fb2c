/** Where users' routes lead a connection of the application's own whose content is nobody's matter: TLS by its name, or TCP. */
import type { Socket } from "node:net";
import { pickDestination } from "../../policy/routes/pick-destination.ts";
import type { StreamRoute } from "../../policy/routes/stream-route.ts";
import { findStreamRoute } from "../../policy/routes/stream-table.ts";
import type { Destination } from "../../policy/workload-view.ts";
import type { CompiledView } from "../compiled-view.ts";
import { readFirstBytes } from "../first-bytes.ts";
import { outboundCluster } from "../outbound-call.ts";
import { detectTls } from "../protocol-detection.ts";
import { destinationName } from "./routed-ways.ts";

export interface CalledStream {
  /** Whom the application has called. */
  readonly destination: Destination;
  /** The address that it called. */
  readonly address: string;
  /** See `FirstBytes`. */
  readonly head: Buffer;
}

/** "as called": no route is for it. "nowhere": its route leads to nobody who may be called. */
export type StreamWay = "as called" | "nowhere" | Pick<CalledStream, "destination" | "head">;

/** A client that waits to be greeted names no server. */
const GREETING_MS = 300;

export async function streamWay(
  socket: Socket,
  called: CalledStream,
  { compiled, chance }: { readonly compiled: CompiledView; readonly chance: () => number },
): Promise<StreamWay> {
  const port = called.destination.servicePort;
  const routes = routesFor(compiled, port);
  if (routes.length === 0) return "as called";
  const named = routes.some(({ serverNames }) => serverNames !== undefined);
  const first = named ? await nameOf(socket, called.head) : { head: called.head };
  if (first === undefined) return "nowhere";
  const { serverName, head } = first;
  const route = findStreamRoute(routes, {
    serverName,
    destinationAddress: called.address,
    port,
    host: called.destination.host,
  });
  if (route === undefined) return { destination: called.destination, head };
  const chosen = pickDestination(route.destinations, chance());
  if (chosen === undefined || chosen.problem !== undefined) return "nowhere";
  const name = destinationName({ ...chosen, port: chosen.port === 0 ? port : chosen.port });
  const destination = compiled.destinations.get(outboundCluster(name));
  return destination === undefined ? "nowhere" : { destination, head };
}

function routesFor({ view }: CompiledView, port: number): readonly StreamRoute[] {
  const { streamRoutes = [] } = view.outbound;
  return streamRoutes.filter((route) => route.port === undefined || route.port === port);
}

/** @returns undefined where the client has left */
async function nameOf(
  socket: Socket,
  head: Buffer,
): Promise<{ readonly serverName?: string; readonly head: Buffer } | undefined> {
  if (head.length > 0) return { head };
  const silence = { silenceMs: GREETING_MS, onSilence: "tcp" } as const;
  const first = await readFirstBytes(socket, { detect: detectTls, ...silence });
  if (first === undefined) return undefined;
  const { detected } = first;
  const serverName = detected.kind === "tls" ? detected.hello.serverName : undefined;
  return { head: first.head, ...(serverName !== undefined && { serverName }) };
}
