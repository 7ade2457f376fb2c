/**
 * What of another cluster's services is let into this mesh. It may speak for workloads of its own: a service's callee is
 * of the service's namespace, in a trust domain that is ours, on this machine. All else is refused, in words.
 */
import type { MeshSettings } from "../api/mesh-settings.ts";
import { plainAddress } from "../api/plain-address.ts";
import { quoted } from "../api/quoted.ts";
import { labelNameProblem, serviceNameProblem } from "../api/resource-names.ts";
import {
  InvalidSpiffeIdError,
  parseWorkloadIdentity,
  type SpiffeId,
} from "../identity/spiffe-id.ts";
import type { ExportedEndpoint, ExportedPort, ExportedService } from "./exported-services.ts";

export interface RemoteServiceRules {
  /** Of the identities there. */
  readonly remoteTrustDomain: string;
  readonly settings: Pick<MeshSettings, "trustDomain" | "trustDomainAliases">;
  readonly limits?: RemoteServiceLimits;
}

export interface RemoteServiceLimits {
  readonly services: number;
  /** Of all services together. */
  readonly endpoints: number;
}

export interface Admission {
  /** In the order told. */
  readonly services: readonly ExportedService[];
  /** The first few, and how many more there are. */
  readonly refusals: readonly string[];
}

export const REMOTE_SERVICE_LIMITS: RemoteServiceLimits = { services: 5_000, endpoints: 50_000 };
const MAX_REFUSALS = 20;

export function admitRemoteServices(
  told: readonly ExportedService[],
  { remoteTrustDomain, settings, limits = REMOTE_SERVICE_LIMITS }: RemoteServiceRules,
): Admission {
  const ours = [settings.trustDomain, ...settings.trustDomainAliases];
  if (!ours.includes(remoteTrustDomain))
    return { services: [], refusals: [foreignDomain(remoteTrustDomain, ours)] };
  const admission = new ServiceAdmission(remoteTrustDomain, limits);
  const services = told.flatMap((service) => admission.admit(service) ?? []);
  return { services, refusals: shortened(admission.refusals) };
}

class ServiceAdmission {
  readonly refusals: string[] = [];
  readonly #trustDomain: string;
  readonly #limits: RemoteServiceLimits;
  readonly #names = new Set<string>();
  #endpoints = 0;

  constructor(trustDomain: string, limits: RemoteServiceLimits) {
    this.#trustDomain = trustDomain;
    this.#limits = limits;
  }

  /** All of it but for ports and endpoints that are faulty in themselves. */
  admit(service: ExportedService): ExportedService | undefined {
    const title = `service ${quoted(`${service.namespace}/${service.name}`)}`;
    const problem = this.#problemOf(service);
    if (problem !== undefined) {
      this.refusals.push(`${title} ${problem}`);
      return undefined;
    }
    this.#names.add(`${service.namespace}/${service.name}`);
    const ports = this.#withoutTwins(service.ports, title);
    return { ...service, ports: ports.map((port) => this.#admitPort(port, title)) };
  }

  #problemOf({ namespace, name, identities }: ExportedService): string | undefined {
    const misnamed = labelNameProblem(namespace) ?? serviceNameProblem(name);
    if (misnamed !== undefined) return `has no name of a service: ${misnamed}`;
    if (this.#names.has(`${namespace}/${name}`)) return "is told twice; the first counts";
    if (this.#names.size >= this.#limits.services)
      return `is one too many; at most ${this.#limits.services} are taken`;
    const foreign = identities.find(
      (id) => !isOf(id, { trustDomain: this.#trustDomain, namespace }),
    );
    if (foreign === undefined) return undefined;
    return `names ${quoted(foreign)}; expected identities spiffe://${this.#trustDomain}/ns/${namespace}/sa/…`;
  }

  #withoutTwins(ports: readonly ExportedPort[], title: string): readonly ExportedPort[] {
    const numbers = new Set<number>();
    return ports.filter(({ port }) => {
      if (!numbers.has(port)) return numbers.add(port);
      this.refusals.push(`${title} has port ${port} twice; the first counts`);
      return false;
    });
  }

  #admitPort(port: ExportedPort, title: string): ExportedPort {
    const sockets = new Set<string>();
    const endpoints = port.endpoints.filter((endpoint) => {
      const problem = this.#endpointProblem(endpoint, sockets);
      if (problem === undefined) return true;
      this.refusals.push(`${title} port ${port.port}: endpoint ${socketOf(endpoint)} ${problem}`);
      return false;
    });
    return { ...port, endpoints };
  }

  #endpointProblem(endpoint: ExportedEndpoint, sockets: Set<string>): string | undefined {
    if (!isLoopback(endpoint.address.address))
      return "is not on this machine; expected an address of its loopback";
    if (sockets.has(socketOf(endpoint))) return "is told twice";
    if (this.#endpoints >= this.#limits.endpoints)
      return `is one too many; at most ${this.#limits.endpoints} are taken`;
    sockets.add(socketOf(endpoint));
    this.#endpoints++;
    return undefined;
  }
}

function isOf(
  id: SpiffeId,
  expected: { readonly trustDomain: string; readonly namespace: string },
): boolean {
  try {
    const { trustDomain, namespace } = parseWorkloadIdentity(id);
    return trustDomain === expected.trustDomain && namespace === expected.namespace;
  } catch (error) {
    if (error instanceof InvalidSpiffeIdError) return false;
    throw error;
  }
}

function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || plain?.startsWith("127.") === true;
}

function socketOf({ address: { address, port } }: ExportedEndpoint): string {
  return quoted(`${address}:${port}`);
}

function foreignDomain(domain: string, ours: readonly string[]): string {
  return `its trust domain ${quoted(domain)} is not one of this mesh, ${ours.join(", ")}; add it to trustDomainAliases if it is`;
}

function shortened(refusals: readonly string[]): readonly string[] {
  if (refusals.length <= MAX_REFUSALS) return refusals;
  const more = refusals.length - MAX_REFUSALS;
  return [...refusals.slice(0, MAX_REFUSALS), `and ${more} more`];
}
