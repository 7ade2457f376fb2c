/** The inside end of the pipe between a mesh in its own namespaces and its host side. */
import { readlinkSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type {
  HostMessage,
  HostRequest,
  HostSide,
  PublishOutcome,
} from "../local/network/host-side.ts";
import { createDeferred } from "../runtime/deferred.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import { openInheritedPipe } from "./inherited-pipe.ts";
import { requestStop } from "./stop-signal.ts";

/** Tells a process that it is to run a mesh inside namespaces which have been made for it. */
export const INSIDE_VARIABLE = "HAUBERK_INSIDE";

/** A process was told to run a mesh inside namespaces of its own, and is not inside. */
export class NotInsideError extends HauberkError {
  readonly code = "HAUBERK_NOT_INSIDE";
}

export function isInside(): boolean {
  return process.env[INSIDE_VARIABLE] !== undefined;
}

/** @throws NotInsideError, NotStartedByHauberkError */
export async function openHostSide(): Promise<HostSide> {
  delete process.env[INSIDE_VARIABLE];
  const first = createDeferred<HostMessage & { type: "host" }>();
  let hear: (ports: readonly PublishOutcome[]) => void = () => {};
  let folder: string | undefined;
  const pipe = openInheritedPipe<HostMessage, HostRequest>(
    (message) => {
      if (message.type === "host") first.resolve(message);
      else if (message.type === "published") hear(message.ports);
      else requestStop("host side");
    },
    // Whoever runs `up` is gone: the mesh ends in order, as if asked to, and removes what was the host side's.
    () => {
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
      requestStop("end of the host side");
    },
  );
  const { user, networkNamespace, egressSocket, ingressSocket, apiServer } = await first.promise;
  folder = dirname(egressSocket);
  pipe.unref();
  if (readlinkSync("/proc/self/ns/net") === networkNamespace) {
    throw new NotInsideError("the mesh is not in a network namespace of its own");
  }
  return {
    user,
    egressSocket,
    ingressSocket,
    apiServer,
    publish: (ports) => pipe.send({ type: "publish", ports }),
    onPublished(receive) {
      hear = receive;
    },
  };
}
