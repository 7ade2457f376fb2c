/** Of a question about a gateway: which of its servers answers, and what that one speaks. */
import { formatRef } from "../api/resource.ts";
import type { ResourceOrigin } from "./decision.ts";
import type { GatewayListener, GatewayServer, GatewayTlsMode } from "./gateway-view.ts";
import { type Question, QuestionError } from "./question.ts";
import { gatewayServerFor } from "./routes/gateway-server-for.ts";
import { hostNameOf } from "./routes/route-table.ts";
import type { InboundPort, WorkloadView } from "./workload-view.ts";

/** A server of a gateway, as an answer tells it. */
export interface AskedServer {
  /** Of the TLS that it ends or passes on; "NONE": it has none. */
  readonly mode: GatewayTlsMode | "NONE";
  /** The first Gateway that it is of. */
  readonly origin: ResourceOrigin;
  /** Why it refuses all handshakes. */
  readonly problem?: string;
}

/** The same, as a port that can be judged. */
export interface AskedGatewayPort {
  readonly port: InboundPort;
  readonly server: AskedServer;
  /** What a client that says nothing of it is taken to call: the server's first host; absent where that has a wildcard. */
  readonly host?: string;
}

/**
 * The client is taken to name the same host in its ClientHello and in its request. Where it names none, and no server is for
 * everybody, the first server of the port is meant.
 *
 * @returns undefined of a workload that is no gateway
 * @throws QuestionError when the gateway serves no such port, or no such host there
 */
export function askedGatewayPort(
  { gateway }: Pick<WorkloadView, "gateway">,
  question: Question,
): AskedGatewayPort | undefined {
  if (gateway === undefined) return undefined;
  const { containerPort, to } = question;
  const name = `${to.namespace}/${to.name}`;
  const listener = gateway.listeners.find((one) => one.containerPort === containerPort);
  if (listener === undefined) {
    const served = gateway.listeners.map((one) => `${one.port} (${one.containerPort} of the pod)`);
    throw new QuestionError(
      `the gateway ${name} serves nothing at port ${containerPort} of the pod; it serves: ${served.join(", ") || "nothing"}`,
    );
  }
  const server = serverMeant(listener, question);
  const [origin] = server?.origins ?? [];
  if (server === undefined || origin === undefined) {
    const hosts = listener.servers.flatMap(({ serverNames }) => serverNames);
    throw new QuestionError(
      `the gateway ${name} serves no host ${hostAsked(question)} at port ${listener.port}: it closes the connection; it serves: ${hosts.join(", ")}`,
    );
  }
  const host = hostsOf(server).find((one) => !one.includes("*"));
  return {
    port: portOf(listener, { server, origin }),
    server: tellServer(server, origin),
    ...(host !== undefined && { host }),
  };
}

function hostsOf({ serverNames, traffic }: GatewayServer): readonly string[] {
  if (serverNames.length > 0 || traffic.is !== "http") return serverNames;
  return traffic.virtualHosts.flatMap(({ domains }) => domains);
}

function hostAsked({ request }: Question): string | undefined {
  const host = request?.headers.get("host");
  return host === undefined ? undefined : hostNameOf(host);
}

function serverMeant(listener: GatewayListener, question: Question): GatewayServer | undefined {
  const host = hostAsked(question);
  const found = gatewayServerFor(listener, host);
  return found ?? (host === undefined ? listener.servers[0] : undefined);
}

/** Only ISTIO_MUTUAL asks for identities of the mesh; PeerAuthentication says nothing of a gateway's servers (PA-21). */
function portOf(
  { containerPort, listen }: GatewayListener,
  {
    server: { tls, traffic },
    origin,
  }: { readonly server: GatewayServer; readonly origin: ResourceOrigin },
): InboundPort {
  return {
    containerPort,
    protocol: traffic.is === "http" ? "http" : "tcp",
    mutualTls: { mode: tls?.mode === "ISTIO_MUTUAL" ? "STRICT" : "PERMISSIVE", origin },
    listen,
    application: listen,
  };
}

function tellServer({ tls }: GatewayServer, origin: ResourceOrigin): AskedServer {
  const { mode = "NONE", problem } = tls ?? {};
  return { mode, origin, ...(problem !== undefined && { problem }) };
}

/** What becomes of a connection before it carries anything, beside what is refused at every port. */
export function serverRefusal(
  { mode, problem, origin }: AskedServer,
  transport: "mutual-tls" | "plaintext",
): string | undefined {
  if (problem !== undefined) return problem;
  if (transport !== "mutual-tls" || mode === "ISTIO_MUTUAL") return undefined;
  return `the server of ${formatRef(origin.ref)} (TLS ${mode}) proves no identity of the mesh`;
}
