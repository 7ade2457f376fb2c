/** Attempts at other pods' programs and at sidecars, by whatever address. Pure. */
import { ROUTER_ADDRESSES } from "../../local/network/mesh-ranges.ts";
import type { AttackAims } from "./attack-aims.ts";
import type { Attempt } from "./attack-attempt.ts";
import { API, DATABASE } from "./production-actors.ts";

const MARK = 1337;
/** What the two programs answer, and nobody in front of them. */
const API_SAYS = /\bwell\b/;
const DATABASE_SAYS = /chain mail/;
const SIDECAR_SAYS = /HTTP\/1\.1 200|istio_|serialNumber/;

const request = (host: string, path: string): string =>
  `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`;
const ASK_API = request(`api:${API.port}`, "/healthz");
const ASK_SIDECAR = request("127.0.0.1:15000", "/stats/prometheus");

export function applicationAttempts(aims: AttackAims): readonly Attempt[] {
  const { api, database, frontend, gateSockets } = aims;
  const call = (what: string, aim: Attempt["aim"]): Attempt => ({
    what,
    technique: "say",
    aim: { port: API.port, text: ASK_API, ...aim },
    proof: API_SAYS,
  });
  const callWith = (what: string, aim: Attempt["aim"]): Attempt => ({
    what,
    technique: "python",
    aim: { call: "say_with", host: api.ipv4, port: API.port, text: ASK_API, ...aim },
    proof: API_SAYS,
  });
  const line = { port: DATABASE.port, text: "LIST\n" };
  return [
    call("its pod's address", { host: api.ipv4 }),
    call("its pod's IPv6 address", { host: api.ipv6 }),
    { ...call("database, IPv4", { host: database.ipv4, ...line }), proof: DATABASE_SAYS },
    { ...call("database, IPv6", { host: database.ipv6, ...line }), proof: DATABASE_SAYS },
    call("the port its sidecar captures at", { host: api.ipv4, port: 15_006 }),
    call("the port its sidecar sends from", { host: api.ipv4, port: 15_001 }),
    call("as its sidecar, from ::6", { host: api.ipv6, localAddress: "::6" }),
    call("as its sidecar, from 127.0.0.6", { host: api.ipv4, localAddress: "127.0.0.6" }),
    callWith("in frontend's name", { source: frontend.ipv4 }),
    callWith("in frontend's name, IPv6", { host: api.ipv6, source: frontend.ipv6 }),
    callWith("with a sidecar's mark", { mark: MARK }),
    callWith("from a transparent socket", { transparent: true }),
    callWith("from a socket bound to eth0", { device: "eth0" }),
    callWith("from a socket bound to lo", { device: "lo" }),
    { what: "raw sockets", technique: "python", aim: { call: "open_raw" } },
    {
      what: "TLS as between sidecars, without a certificate",
      technique: "sayInTls",
      aim: { host: api.ipv4, port: API.port, text: ASK_API, ALPNProtocols: ["istio-http/1.1"] },
      proof: API_SAYS,
    },
    call("its own sidecar's door", { host: "127.0.0.1", port: 15_001 }),
    call("the bridge", { host: ROUTER_ADDRESSES.ipv4 }),
    {
      what: "sockets of the gateway",
      technique: "sayToSockets",
      aim: { paths: gateSockets, text: "CONNECT production/api 8080\n" },
    },
  ];
}

export function administrationAttempts({ api, own }: AttackAims): readonly Attempt[] {
  const call = (what: string, aim: Attempt["aim"]): Attempt => ({
    what,
    technique: "say",
    aim: { text: ASK_SIDECAR, ...aim },
    proof: SIDECAR_SAYS,
  });
  const callWith = (what: string, aim: Attempt["aim"]): Attempt => ({
    what,
    technique: "python",
    aim: { call: "say_with", host: "127.0.0.1", port: 15_000, text: ASK_SIDECAR, ...aim },
    proof: SIDECAR_SAYS,
  });
  return [
    ...[15_000, 15_020, 15_021, 15_053, 15_090].map((port) =>
      call(`api's, port ${port}`, { host: api.ipv4, port }),
    ),
    call("api's, IPv6", { host: api.ipv6, port: 15_000 }),
    ...["127.0.0.1", "::1", "127.0.0.6", own.ipv4, own.ipv6].map((host) =>
      call(`its own, at ${host}`, { host, port: 15_000 }),
    ),
    callWith("its own, with a sidecar's mark", { mark: MARK }),
    callWith("its own, from 127.0.0.6", { source: "127.0.0.6" }),
    callWith("its own, from a socket bound to eth0", { device: "eth0" }),
    call("its own, by way of what it captures", { host: own.ipv4, port: 15_006 }),
  ];
}
