/** What a gateway serves under one view, with what is worked out once for all its connections. */
import type { GatewayListener, GatewayServer, GatewayView } from "../../policy/gateway-view.ts";
import { gatewayServerFor } from "../../policy/routes/gateway-server-for.ts";
import { compileRoutes, type RouteTable } from "../../policy/routes/route-table.ts";
import type { CompiledView } from "../compiled-view.ts";
import type { ServedPort } from "../inbound-ports.ts";
import { TrustedRoots } from "../trusted-roots.ts";
import { certificatesOf } from "./client-certificate.ts";
import { type EdgeServerKey, edgeServerKey } from "./edge-terminator.ts";

export class ServedServer {
  readonly server: GatewayServer;
  /** With and without ALPN; empty where its TLS is not ours to end, and where it has none. */
  readonly keys: readonly EdgeServerKey[];
  #routes: RouteTable | undefined;
  #trust: TrustedRoots | undefined;

  constructor(server: GatewayServer) {
    this.server = server;
    this.keys = keysOf(server);
  }

  /** Of a server of HTTP. */
  get routes(): RouteTable {
    const { traffic } = this.server;
    this.#routes ??= compileRoutes(traffic.is === "http" ? traffic.virtualHosts : []);
    return this.#routes;
  }

  /** To judge clients that were verified under an earlier view. */
  get clientTrust(): TrustedRoots {
    const { authoritiesPem = "", crlPem } = this.server.tls?.clientTrust ?? {};
    this.#trust ??= new TrustedRoots(
      certificatesOf(authoritiesPem).map(String),
      crlPem === undefined ? [] : listsOf(crlPem),
    );
    return this.#trust;
  }
}

export class ServedListener {
  readonly listener: GatewayListener;
  /** As policies know it (AP-56); nothing of a PeerAuthentication holds for it (PA-21). */
  readonly port: ServedPort;
  readonly #servers: ReadonlyMap<GatewayServer, ServedServer>;

  constructor(listener: GatewayListener) {
    this.listener = listener;
    this.port = portOf(listener);
    this.#servers = new Map(listener.servers.map((server) => [server, new ServedServer(server)]));
  }

  get servers(): readonly ServedServer[] {
    return [...this.#servers.values()];
  }

  get isTls(): boolean {
    return this.listener.servers.every(({ tls }) => tls !== undefined);
  }

  /** @returns undefined where nobody answers for that name */
  serverFor(serverName: string | undefined): ServedServer | undefined {
    const server = gatewayServerFor(this.listener, serverName);
    return server && this.#servers.get(server);
  }
}

export class ServedGateway {
  /** By the pod's port. */
  readonly listeners: ReadonlyMap<number, ServedListener>;

  constructor({ listeners }: GatewayView) {
    this.listeners = new Map(
      listeners.map((listener) => [listener.containerPort, new ServedListener(listener)]),
    );
  }

  get servers(): readonly ServedServer[] {
    return [...this.listeners.values()].flatMap(({ servers }) => servers);
  }

  /** Worked out once for each view. */
  static of({ view }: CompiledView): ServedGateway {
    const { gateway = NOTHING } = view;
    let served = known.get(gateway);
    if (served === undefined) {
      served = new ServedGateway(gateway);
      known.set(gateway, served);
    }
    return served;
  }
}

const NOTHING: GatewayView = { listeners: [] };
const known = new WeakMap<GatewayView, ServedGateway>();

function keysOf({ tls }: GatewayServer): readonly EdgeServerKey[] {
  if (tls === undefined || tls.certificates.length === 0) return [];
  return [edgeServerKey(tls, "http"), edgeServerKey(tls, "stream")];
}

function portOf({ containerPort, listen, servers, admission }: GatewayListener): ServedPort {
  const isHttp = servers.every(({ traffic }) => traffic.is === "http");
  return {
    containerPort,
    protocol: isHttp ? "http" : "tcp",
    mutualTls: { mode: "PERMISSIVE", origin: "default" },
    listen,
    application: listen,
    ...(admission && { admission }),
  };
}

function listsOf(pem: string): readonly string[] {
  return pem.match(/-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g) ?? [];
}
