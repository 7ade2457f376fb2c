/**
 * The process that stays on the host while a mesh runs inside namespaces of its own: it starts that mesh, passes on
 * requests to end and its exit code, connects it to the outside, and offers its services on the host's loopback.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readlink, rm } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { HostGate } from "../local/network/host-gate.ts";
import type { HostMessage, HostRequest, MeshUser } from "../local/network/host-side.ts";
import { meshNamespaceCommand } from "../local/network/mesh-namespace.ts";
import { SocketRelay } from "../local/network/socket-relay.ts";
import { EGRESS_SOCKET, GATE_FOLDER, removeStaleGates } from "../local/network/stale-gates.ts";
import { systemClock } from "../runtime/clock.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";
import { createLog } from "../runtime/log.ts";
import { INSIDE_VARIABLE } from "./host-pipe.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const;

/** Runs this same command line again, inside. @returns its exit code */
export async function runInside(user: MeshUser): Promise<number> {
  await removeStaleGates(tmpdir());
  const folder = await mkdtemp(join(tmpdir(), GATE_FOLDER));
  const sockets = {
    egressSocket: join(folder, EGRESS_SOCKET),
    ingressSocket: join(folder, "ingress.sock"),
  };
  const log = createLog((line) => process.stderr.write(`${line}\n`), systemClock);
  const gate = await HostGate.open({ ...sockets, log: { ...log, info: () => {} } });
  const relay = await SocketRelay.open(join(folder, "api.sock"));
  try {
    const networkNamespace = await readlink("/proc/self/ns/net");
    const child = startInside(user);
    const ended = exitCodeOf(child);
    const pipe = child.stdio[3] as Duplex;
    pipe.on("error", () => pipe.destroy()); // the mesh has ended; its exit code tells
    const send = (message: HostMessage): void => writeJsonLine(pipe, message);
    readJsonLines(pipe, (message) => {
      const { ports } = message as HostRequest;
      void gate.publish(ports).then((published) => send({ type: "published", ports: published }));
    });
    send({ type: "host", user, networkNamespace, ...sockets, apiServer: relay.place });
    // Passed on in words: a group's signal reaches the mesh by itself too, and is one request.
    for (const signal of SIGNALS) process.on(signal, () => send({ type: "stop" }));
    return await ended;
  } finally {
    await relay.close();
    await gate.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function startInside(user: MeshUser): ChildProcess {
  const [file, ...parameters] = meshNamespaceCommand(user, [
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
  ]);
  return spawn(file, parameters, {
    stdio: ["inherit", "inherit", "inherit", "pipe"],
    env: { ...process.env, [INSIDE_VARIABLE]: "1" },
  });
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
