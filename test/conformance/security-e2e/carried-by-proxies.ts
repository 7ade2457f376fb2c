/**
 * Cases carried whole: a real client, its proxy with the view of its workload, the callee's proxy with the callee's, a real
 * application behind it. What is judged elsewhere is tried here, with proxies of either kind.
 */
import { connect, type Socket } from "node:net";
import { buildWorkloadView } from "../../../src/policy/build-workload-view.ts";
import type { MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import { callingWorkload, type Question } from "../../../src/policy/question.ts";
import type { SocketAddress, Workload } from "../../../src/policy/workload.ts";
import type { Destination, Outbound, WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../../kit/free-port.ts";
import { type SampleAuthorizer, sampleAuthorizer } from "../../kit/sample-authorizer.ts";
import { LOOPBACK, workloadView } from "../../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";
import { answerOf, assertTold, inTime, isContent, sentOf } from "./carried-exchange.ts";
import { authorizersOf, type CarriedRequest } from "./carried-requests.ts";
import type { StartProxy } from "./data-planes.ts";
import { type Application, type Content, startApplication } from "./hop-ends.ts";
import type { CaseMesh } from "./hops-of-case.ts";
import { addressOf, onLoopback } from "./loopback-places.ts";
import { NotUnderstood } from "./not-understood.ts";
import type { Topology } from "./topology.ts";
import { WatchedHop } from "./watched-hop.ts";

/** The proxies of one mesh, which stay from case to case. */
export class CarriedMesh {
  readonly #startProxy: StartProxy;
  #stage: Stage | undefined;

  constructor(startProxy: StartProxy) {
    this.#startProxy = startProxy;
  }

  /** @throws NotUnderstood */
  async carry(
    question: Question,
    mesh: CaseMesh & { readonly tokenKeys: ReadonlyMap<string, string> },
  ): Promise<CarriedRequest> {
    if (this.#stage?.of !== mesh.snapshot) {
      await this.close();
      this.#stage = new Stage(mesh, this.#startProxy);
    }
    return this.#stage.carry(question);
  }

  async close(): Promise<void> {
    await this.#stage?.close();
    this.#stage = undefined;
  }
}

interface Callee {
  readonly application: Application;
  /** Where its proxy listens for the port, or the application itself. */
  readonly at: SocketAddress;
}

interface Way {
  /** Where the client's connections go. */
  readonly port: number;
  /** By the pod's name and the container's port. */
  readonly hops: ReadonlyMap<string, WatchedHop>;
}

class Stage {
  readonly of: MeshSnapshot;
  readonly #snapshot: MeshSnapshot;
  readonly #topology: Topology;
  readonly #startProxy: StartProxy;
  readonly #authority: ReturnType<typeof createThrowawayAuthority>;
  /** Of workloads that were called, by name and container port. */
  readonly #callees = new Map<string, Callee>();
  /** By caller, service and service port. */
  readonly #ways = new Map<string, Way>();
  /** Absent until a workload has somebody to ask. */
  #authorizer: SampleAuthorizer | undefined;
  readonly #closing: (() => unknown)[] = [];

  constructor(
    {
      snapshot,
      topology,
      tokenKeys,
    }: CaseMesh & { readonly tokenKeys: ReadonlyMap<string, string> },
    startProxy: StartProxy,
  ) {
    this.of = snapshot;
    this.#snapshot = { ...snapshot, tokenKeys };
    this.#topology = topology;
    this.#startProxy = startProxy;
    const { trustDomain } = snapshot.settings;
    this.#authority = createThrowawayAuthority({ trustDomain });
  }

  async carry(question: Question): Promise<CarriedRequest> {
    const { to, containerPort } = question;
    const content = this.#contentOf(to, containerPort);
    const { application } = await this.#callee(to, containerPort);
    const way = await this.#way(question);
    application.forget();
    const dial = (): Socket => connect({ host: LOOPBACK, port: way.port });
    const answer = await inTime(answerOf(content, { sent: sentOf(question, content), dial }));
    const [heard, heardPath] = [application.heard(), application.heardPath()];
    if (heard === undefined && answer.status === 200 && (answer.grpc?.code ?? 0) === 0)
      throw new Error("answered, but not by the application that is meant");
    const hop = way.hops.get(keyOf(to, containerPort));
    const mtls = hop?.isMutualTls === true;
    assertTold({ content, heard, mtls });
    return {
      ...{ came: "carried", hops: 1, mtls },
      ...answer,
      ...(heard && { heard }),
      ...(heardPath !== undefined && { heardPath }),
    };
  }

  async close(): Promise<void> {
    await Promise.all(this.#closing.map((close) => close()));
  }

  #contentOf({ namespace, labels }: Workload, containerPort: number): Content {
    const ports = this.#topology.services
      .filter((service) => service.namespace === namespace)
      .filter(({ selector }) =>
        Object.entries(selector).every(([name, value]) => labels[name] === value),
      )
      .flatMap((service) => service.ports);
    const found = ports.find(({ workloadPort }) => workloadPort === containerPort);
    const content = found?.protocol?.toLowerCase();
    if (!isContent(content)) throw new NotUnderstood(`to.port.protocol ${content}`);
    return content;
  }

  /** With the port that is called, and all others that its pod declares. */
  async #callee(workload: Workload, containerPort: number): Promise<Callee> {
    const key = keyOf(workload, containerPort);
    if (!this.#callees.has(key)) await this.#startCallee(workload, containerPort);
    const callee = this.#callees.get(key);
    if (callee === undefined) throw new NotUnderstood(`port ${containerPort}`);
    return callee;
  }

  async #startCallee(workload: Workload, containerPort: number): Promise<void> {
    if (!workload.injected) {
      const application = await this.#application(this.#contentOf(workload, containerPort));
      const at = { address: LOOPBACK, port: application.port };
      this.#callees.set(keyOf(workload, containerPort), { application, at });
      return;
    }
    const view = buildWorkloadView(this.#snapshot, workload);
    const ports = [];
    const callees = new Map<string, Callee>();
    for (const declared of view.inbound.ports) {
      const content = this.#contentOf(workload, declared.containerPort);
      const application = await this.#application(content);
      const listen = { address: addressOf(workload), port: await freePort() };
      callees.set(keyOf(workload, declared.containerPort), { application, at: listen });
      ports.push({
        ...declared,
        listen,
        application: { address: LOOPBACK, port: application.port },
      });
    }
    const authorization = onLoopback(view.inbound.authorization);
    await this.#start(view, {
      inbound: { ...view.inbound, authorization, ports },
      outbound: { destinations: await this.#authorizers(view) },
    });
    for (const [key, callee] of callees) this.#callees.set(key, callee);
  }

  /** Whom the proxy of a callee asks. */
  async #authorizers(view: WorkloadView): Promise<readonly Destination[]> {
    if (view.inbound.authorizers === undefined) return [];
    if (this.#authorizer === undefined) {
      const started = await sampleAuthorizer();
      this.#closing.push(() => started.close());
      this.#authorizer = started;
    }
    return authorizersOf(view, this.#authorizer);
  }

  async #application(content: Content): Promise<Application> {
    const application = await startApplication(content);
    this.#closing.push(() => application.close());
    return application;
  }

  async #way(question: Question): Promise<Way> {
    const { via, to, containerPort } = question;
    const caller = callingWorkload(question.from);
    if (caller === undefined) throw new NotUnderstood("from without a workload");
    const called = via
      ? `${via.serviceNamespace}/${via.serviceName}:${via.servicePort}`
      : keyOf(to, containerPort);
    const key = `${caller.namespace}/${caller.name} ${called}`;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    if (caller.injected && via !== undefined) await this.#startCaller(caller, via);
    else await this.#lead(key, { caller, to, containerPort });
    const made = this.#ways.get(key);
    if (made === undefined) throw new NotUnderstood(`${key} is no destination`);
    return made;
  }

  /** Without a proxy of the caller's. */
  async #lead(
    key: string,
    { caller, to, containerPort }: Pick<Question, "to" | "containerPort"> & { caller: Workload },
  ): Promise<void> {
    const hop = await this.#hop(keyOf(to, containerPort), caller);
    this.#ways.set(key, { port: hop.port, hops: new Map([[keyOf(to, containerPort), hop]]) });
  }

  /** A proxy that calls all ports of one service. */
  async #startCaller(
    caller: Workload,
    { serviceNamespace, serviceName }: NonNullable<Question["via"]>,
  ): Promise<void> {
    const view = buildWorkloadView(this.#snapshot, caller);
    const hops = new Map<string, WatchedHop>();
    const isCalled = (one: Destination): boolean =>
      one.serviceNamespace === serviceNamespace && one.serviceName === serviceName;
    const destinations: Destination[] = [];
    const ways = new Map<string, Way>();
    for (const one of view.outbound.destinations.filter(isCalled)) {
      const port = await freePort();
      const key = `${caller.namespace}/${caller.name} ${serviceNamespace}/${serviceName}:${one.servicePort}`;
      ways.set(key, { port, hops });
      const placed = await this.#placed(one, { caller, hops });
      destinations.push({ ...placed, listen: { address: LOOPBACK, port } });
    }
    const subsets = [];
    for (const one of (view.outbound.subsets ?? []).filter(isCalled))
      subsets.push(await this.#placed(one, { caller, hops }));
    const { virtualHosts, streamRoutes } = view.outbound;
    const outbound: Outbound = {
      destinations,
      ...(view.outbound.subsets && { subsets }),
      ...(virtualHosts && { virtualHosts }),
      ...(streamRoutes && { streamRoutes }),
    };
    await this.#start(view, { outbound });
    for (const [key, way] of ways) this.#ways.set(key, way);
  }

  /** Its endpoints where they can be watched. */
  async #placed<D extends Destination>(
    destination: D,
    { caller, hops }: { readonly caller: Workload; readonly hops: Map<string, WatchedHop> },
  ): Promise<Omit<D, "addresses">> {
    const { serviceNamespace: namespace } = destination;
    const endpoints = [];
    for (const endpoint of destination.endpoints) {
      const key = keyOf({ namespace, name: endpoint.workload }, endpoint.address.port);
      const hop = hops.get(key) ?? (await this.#hop(key, caller));
      hops.set(key, hop);
      endpoints.push({ ...endpoint, address: { address: LOOPBACK, port: hop.port } });
    }
    const { addresses: _, ...rest } = { ...destination, endpoints };
    return rest;
  }

  async #hop(key: string, caller: Workload): Promise<WatchedHop> {
    const hop = await WatchedHop.open(() => this.#callees.get(key)?.at, addressOf(caller));
    this.#closing.push(() => hop.close());
    return hop;
  }

  async #start(
    { workload, trust, proxyHeaders, inbound }: WorkloadView,
    ends: Partial<Pick<WorkloadView, "inbound" | "outbound">>,
  ): Promise<void> {
    const rootsPem = [this.#authority.rootPem];
    const view: WorkloadView = {
      ...workloadView({ rootsPem }),
      workload,
      trust: { ...trust, rootsPem },
      inbound: { ...inbound, ports: [] },
      ...(proxyHeaders && { proxyHeaders }),
      ...ends,
    };
    const svid = this.#authority.svid(workload.identity);
    const proxy = await this.#startProxy({ view, svid });
    this.#closing.push(() => proxy.close());
  }
}

function keyOf(
  { namespace, name }: Pick<Workload, "namespace" | "name">,
  containerPort: number,
): string {
  return `${namespace}/${name}:${containerPort}`;
}
