/** Services of a cluster as control planes send them to each other, written and read. Whom to believe is decided elsewhere. */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { InvalidSpiffeIdError, parseSpiffeId } from "../identity/spiffe-id.ts";
import type {
  ExportedEndpoint,
  ExportedPort,
  ExportedService,
} from "../policy/exported-services.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  type Endpoint,
  type Port,
  Protocol,
  type Service,
  type WatchServicesResponse,
} from "../wire/gen/hauberk/clusters/v1/remote_discovery_pb.ts";
import type { RemoteServicesInit } from "../wire/remote-services.ts";

const MAX_PORT = 65_535;
const MAX_NAME_CHARACTERS = 253;

/** Another cluster's control plane sent what cannot be read. */
export class InvalidRemoteServicesError extends HauberkError {
  readonly code = "HAUBERK_INVALID_REMOTE_SERVICES";
}

const PROTOCOLS = {
  auto: Protocol.AUTO,
  http: Protocol.HTTP,
  http2: Protocol.HTTP2,
  tcp: Protocol.TCP,
} as const satisfies Record<ExportedPort["protocol"], Protocol>;

export function writeRemoteServices(
  services: readonly ExportedService[],
  { cluster, trustDomain }: { readonly cluster: string; readonly trustDomain: string },
): RemoteServicesInit {
  const version = createHash("sha256").update(JSON.stringify(services)).digest("hex").slice(0, 16);
  return { cluster, trustDomain, version, services: services.map(writeService) };
}

function writeService({ namespace, name, identities, ports }: ExportedService) {
  return { namespace, name, identities: [...identities], ports: ports.map(writePort) };
}

function writePort({ port, protocol, endpoints }: ExportedPort) {
  return { port, protocol: PROTOCOLS[protocol], endpoints: endpoints.map(writeEndpoint) };
}

function writeEndpoint({ workload, address: { address, port }, mutualTls }: ExportedEndpoint) {
  return { workload, address, port, mutualTls };
}

/** @throws InvalidRemoteServicesError for the first thing that has no sense */
export function readRemoteServices({
  services,
}: Pick<WatchServicesResponse, "services">): readonly ExportedService[] {
  return services.map(readService);
}

function readService({ namespace, name, identities, ports }: Service): ExportedService {
  for (const text of [namespace, name]) verifyName(text);
  const where = `${namespace}/${name}`;
  return {
    namespace,
    name,
    identities: identities.map((text) => readIdentity(text, where)),
    ports: ports.map((port) => readPort(port, where)),
  };
}

function readIdentity(text: string, where: string) {
  try {
    return parseSpiffeId(text);
  } catch (cause) {
    if (!(cause instanceof InvalidSpiffeIdError)) throw cause;
    throw new InvalidRemoteServicesError(`service ${where}: an identity is none`, { cause });
  }
}

function readPort({ port, protocol, endpoints }: Port, where: string): ExportedPort {
  verifyPort(port, where);
  return {
    port,
    protocol: readProtocol(protocol, where),
    endpoints: endpoints.map((endpoint) => readEndpoint(endpoint, where)),
  };
}

function readProtocol(protocol: Protocol, where: string): ExportedPort["protocol"] {
  switch (protocol) {
    case Protocol.AUTO:
      return "auto";
    case Protocol.HTTP:
      return "http";
    case Protocol.HTTP2:
      return "http2";
    case Protocol.TCP:
      return "tcp";
    default:
      throw new InvalidRemoteServicesError(`service ${where}: no such protocol: ${protocol}`);
  }
}

function readEndpoint(
  { workload, address, port, mutualTls }: Endpoint,
  where: string,
): ExportedEndpoint {
  verifyName(workload);
  verifyPort(port, where);
  if (isIP(address) === 0)
    throw new InvalidRemoteServicesError(
      `service ${where}: ${JSON.stringify(address.slice(0, MAX_NAME_CHARACTERS))} is no IP address`,
    );
  return { workload, address: { address, port }, mutualTls };
}

function verifyName(text: string): void {
  if (text !== "" && text.length <= MAX_NAME_CHARACTERS) return;
  throw new InvalidRemoteServicesError(
    `a name is empty, or longer than ${MAX_NAME_CHARACTERS} characters`,
  );
}

function verifyPort(port: number, where: string): void {
  if (port >= 1 && port <= MAX_PORT) return;
  throw new InvalidRemoteServicesError(`service ${where}: ${port} is no port`);
}
