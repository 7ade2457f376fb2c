/** `hauberk up` of the pod that is called, with one of the two data planes beside it. */
import { join } from "node:path";
import { DataDirectory } from "../../../src/local/data-directory.ts";
import { findOrFetchEnvoy } from "../../kit/envoy-program.ts";
import { eventually } from "../../kit/eventually.ts";
import { runMesh } from "../../kit/running-mesh.ts";
import { acknowledgedAt, obeyedVersion } from "./acknowledgement.ts";
import { type EndlessCall, endlessEcho } from "./endless-calls.ts";
import { type KeptProtocol, startKeptCaller } from "./kept-calls.ts";
import { WrittenDenial } from "./written-denial.ts";

export type DataPlane = "Envoy" | "our sidecar";

export interface RevocationMesh {
  /** Where callers reach the pod. */
  readonly ports: Readonly<Record<KeptProtocol | "TCP", number>>;
  readonly denial: WrittenDenial;
  /** What the pod's proxy obeys now. */
  obeyed(): Promise<string>;
  /** When it was first seen to obey something else. */
  acknowledged(before: string): Promise<number>;
  /** Resolves once whoever calls anew is let in by every protocol. */
  untilOpen(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRevocationMesh(plane: DataPlane): Promise<RevocationMesh> {
  const parameters =
    plane === "Envoy" ? ["--proxy", "envoy", "--envoy", findOrFetchEnvoy().path] : [];
  const mesh = await runMesh([join(import.meta.dirname, "mesh")], { parameters });
  const { namespace, name, ports: declared } = mesh.workload("api");
  const at = (port: number): number =>
    declared.find(({ containerPort }) => containerPort === port)?.listen.port ?? 0;
  const ports = { "HTTP/1.1": at(8080), "HTTP/2": at(8081), TCP: at(8082) };
  const directory = new DataDirectory(mesh.data);
  const pod = `${namespace}/${name}`;
  const denial = await WrittenDenial.of(mesh.data);
  return {
    ports,
    denial,
    obeyed: () => eventually("what is obeyed", () => obeyedVersion(directory, pod)),
    acknowledged: (before) => acknowledgedAt(directory, pod, before),
    untilOpen: async () => {
      for (const protocol of ["HTTP/1.1", "HTTP/2"] as const)
        await eventually(`${protocol} to be let in`, () => isLetIn(protocol, ports[protocol]));
      await eventually("TCP to be let in", () => isHeard(endlessEcho(ports.TCP)));
    },
    stop: async () => {
      denial.close();
      await mesh.stop();
    },
  };
}

const ONE_CALL_MS = 50;

async function isLetIn(protocol: KeptProtocol, port: number): Promise<boolean> {
  const caller = startKeptCaller(protocol, { port, paceMs: ONE_CALL_MS });
  await caller.stop();
  return caller.calls.some(({ outcome }) => outcome === "allowed");
}

async function isHeard(call: EndlessCall): Promise<boolean> {
  await eventually(
    "an echo or an end",
    () => call.lastHeardAt !== undefined || call.endedAt !== undefined,
  );
  call.stop();
  return call.lastHeardAt !== undefined;
}
