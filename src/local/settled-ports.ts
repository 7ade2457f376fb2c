/**
 * Programs that listen on ports of their own choice, on a loopback that all share: each such port is there once, so that
 * one pod of several can run. Pure.
 */
import type { Container } from "../api/container.ts";
import {
  formatLocation,
  formatRef,
  type PodOwner,
  type Resource,
  type SourceLocation,
} from "../api/resource.ts";
import { ofKind } from "../policy/mesh-snapshot.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { isJoined } from "./joining/joined-resources.ts";
import { writtenPorts } from "./pods/listening-addresses.ts";
import { isInBlocks } from "./port-allocator.ts";

/** Two programs say that they listen on the same port. */
export class SharedPortError extends HauberkError {
  readonly code = "HAUBERK_SHARED_PORT";
}

/** Some other program of this machine has the port: it would be taken for the one that was meant. */
export class PortTakenError extends HauberkError {
  readonly code = "HAUBERK_PORT_TAKEN";
}

/** Whose program has ports of its own. */
export interface SettledOwner {
  /** `Deployment istio-system/opa-authorizer` */
  readonly title: string;
  /** That the manifest asks for. */
  readonly replicas: number;
  /** In order. */
  readonly ports: readonly number[];
  readonly source: SourceLocation;
}

export interface SettledPorts {
  /** With one replica at most of whoever has ports of its own. */
  readonly resources: readonly Resource[];
  /** By placement key of `planWorkloads`. */
  readonly ports: ReadonlyMap<string, number>;
  readonly owners: readonly SettledOwner[];
  /** What the port allocator is to keep for them: the port of each lease, by its key. */
  readonly leases: ReadonlyMap<string, number>;
}

const leaseOf = (port: number): string => `own port ${port}`;

/** @throws SharedPortError */
export function settlePorts(resources: readonly Resource[]): SettledPorts {
  const images = ofKind(resources, "ImageCommands").flatMap((one) => one.images);
  const listening = resources.filter(isOwner).flatMap((owner) => {
    const uses = owner.template.containers.flatMap((container) =>
      writtenPorts(container, images).map((port) => ({ container, port })),
    );
    return uses.length === 0 || isJoined(owner.meta.source) ? [] : [{ owner, uses }];
  });
  refuseShared(listening.filter(({ owner }) => runs(owner)).flatMap(({ uses }) => uses));
  const alone = new Set<Resource>(listening.map(({ owner }) => owner));
  return {
    resources: resources.map((one) =>
      "replicas" in one && alone.has(one) ? { ...one, replicas: Math.min(1, one.replicas) } : one,
    ),
    ports: new Map(
      listening.flatMap(({ owner: { meta }, uses }) =>
        uses.map(({ port }) => [`${meta.namespace}/${meta.name}-0/application/${port}`, port]),
      ),
    ),
    owners: listening.map(({ owner, uses }) => settledOwner(owner, uses)),
    leases: new Map(
      listening
        .filter(({ owner }) => runs(owner))
        .flatMap(({ uses }) => uses)
        .filter(({ port }) => !isInBlocks(port))
        .map(({ port }) => [leaseOf(port), port]),
    ),
  };
}

/**
 * @param given to each lease
 * @throws PortTakenError when it is another port
 */
export function refuseTaken(
  owners: readonly SettledOwner[],
  given: ReadonlyMap<string, number>,
): void {
  for (const { title, ports, source } of owners) {
    const taken = ports.find((port) => (given.get(leaseOf(port)) ?? port) !== port);
    if (taken === undefined) continue;
    throw new PortTakenError(
      `${formatLocation(source)}: ${title} listens on port ${taken} of this machine's loopback, which another program has; end that one, or give pods networks of their own (--network namespaces)`,
    );
  }
}

interface PortUse {
  readonly container: Container;
  readonly port: number;
}

function isOwner(resource: Resource): resource is PodOwner {
  const { kind } = resource;
  return kind === "Deployment" || kind === "StatefulSet" || kind === "Job";
}

function runs(owner: PodOwner): boolean {
  return owner.kind === "Job" || owner.replicas > 0;
}

function settledOwner(owner: PodOwner, uses: readonly PortUse[]): SettledOwner {
  return {
    title: formatRef({ kind: owner.kind, ...owner.meta }),
    replicas: owner.kind === "Job" ? 1 : owner.replicas,
    ports: uses.map(({ port }) => port).sort((one, other) => one - other),
    source: owner.meta.source,
  };
}

function refuseShared(uses: readonly PortUse[]): void {
  const taken = new Map<number, Container>();
  for (const { container, port } of uses) {
    const first = taken.get(port);
    if (first !== undefined && first !== container) throw shared(port, container, first);
    taken.set(port, container);
  }
}

function shared(port: number, container: Container, first: Container): Error {
  return new SharedPortError(
    `${formatLocation(container.source)}: container ${container.name} listens on port ${port}, as container ${first.name} (${formatLocation(first.source)}) does, and all programs share this machine's loopback; let one of them listen on $(PORT_${port}), or give pods networks of their own (--network namespaces)`,
  );
}
