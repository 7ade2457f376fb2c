/**
 * One pod on loopback as a mesh plans it, with its real sidecar and its real probes. Its applications are servers of the
 * test's own.
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import { connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type MeshPlan, type PlannedPod, planMesh } from "../../src/local/mesh-plan.ts";
import {
  type ContainerHealth,
  watchContainerHealth,
} from "../../src/local/pods/container-health.ts";
import { probedPlace } from "../../src/local/pods/probed-place.ts";
import { PortAllocator } from "../../src/local/port-allocator.ts";
import { buildWorkloadView } from "../../src/policy/build-workload-view.ts";
import { buildSnapshot } from "../../src/policy/mesh-snapshot.ts";
import type { SocketAddress, WorkloadPort } from "../../src/policy/workload.ts";
import { resourcesOf } from "./mesh-parts.ts";
import { startTestSidecar, type TestSidecar } from "./sidecar-fixture.ts";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

/** Of a container, with what is wrong with it. */
export type Readiness = { readonly ready: true } | { readonly ready: false; problem: string };

interface Parts {
  readonly planned: PlannedPod;
  readonly ports: PortAllocator;
  readonly folder: string;
  readonly test: TestSidecar;
}

export class ProbedPod {
  readonly #parts: Parts;
  readonly #servers: Server[] = [];
  readonly #probing: ContainerHealth[] = [];

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** @param yaml of a mesh with one pod, which has a sidecar */
  static async start(yaml: string): Promise<ProbedPod> {
    const resources = resourcesOf(yaml);
    const folder = await mkdtemp(join(tmpdir(), "hauberk-probed-"));
    const ports = await PortAllocator.open(join(folder, "ports.json"));
    const { pods }: MeshPlan = await planMesh(resources, { ports, uid: (key) => key });
    const [planned] = pods;
    if (planned?.adminPort === undefined || pods.length > 1) throw new Error("one pod is expected");
    const authority = createThrowawayAuthority();
    const { workload, adminPort } = planned;
    const rootsPem = [authority.rootPem];
    const snapshot = buildSnapshot({ resources, workloads: [workload], rootsPem });
    const view = buildWorkloadView(snapshot, workload);
    const svid = authority.svid(view.workload.identity);
    const test = await startTestSidecar({ view, svid, adminPort });
    return new ProbedPod({ planned, ports, folder, test });
  }

  /** Stands where the pod's application is to listen for a port of its container. */
  async serve(containerPort: number, server: Server): Promise<void> {
    const { address, port } = this.#port(containerPort).application;
    this.#servers.push(server);
    server.listen(port, address);
    await once(server, "listening");
  }

  /** The first thing that a container's probes say of it. */
  readiness(name: string): Promise<Readiness> {
    const { planned } = this.#parts;
    const container = planned.containers.find((each) => each.name === name);
    if (container === undefined) throw new Error(`no container ${name}`);
    const dial = ({ address: host, port }: SocketAddress): Socket => connect({ host, port });
    return new Promise((resolve) => {
      const health = watchContainerHealth({
        container,
        place: probedPlace(planned, { fromWithin: dial, fromOutside: dial }),
        run: "first",
        exec: () => ({ command: ["true"], environment: {}, workingDirectory: "." }),
        onReady: (ready, problem = "none told") =>
          resolve(ready === "ready" ? { ready: true } : { ready: false, problem }),
        onDead: (problem) => resolve({ ready: false, problem }),
      });
      this.#probing.push(health);
    });
  }

  /** Asks for a path as a caller without an identity does; @returns the status, or what went wrong */
  async ask(containerPort: number, path: string): Promise<number | string> {
    const { address: host, port } = this.#port(containerPort).listen;
    try {
      const [response] = await once(get({ host, port, path, agent: false }), "response");
      response.destroy();
      return response.statusCode;
    } catch (error) {
      return String(error);
    }
  }

  async close(): Promise<void> {
    const { test, ports, folder } = this.#parts;
    for (const health of this.#probing) health.stop();
    for (const server of this.#servers) server.close();
    await test.sidecar.close();
    await ports.release();
    await rm(folder, { recursive: true });
  }

  #port(containerPort: number): WorkloadPort {
    const { ports } = this.#parts.planned.workload;
    const found = ports.find((port) => port.containerPort === containerPort);
    if (found === undefined) throw new Error(`no port ${containerPort}`);
    return found;
  }
}
