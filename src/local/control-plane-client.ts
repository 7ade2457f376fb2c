/** How commands ask the control plane of a mesh on this machine: over its own socket, so that it answers without `up` too. */
import { lstat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import {
  type ControlReply,
  type ControlRequest,
  HELLO,
  type Hello,
} from "../control/control-socket-messages.ts";
import { describeError, HauberkError } from "../runtime/hauberk-error.ts";
import { readJsonLines, writeJsonLine } from "../runtime/json-lines.ts";
import type { DataDirectory } from "./data-directory.ts";
import { findRunningMesh } from "./joining/mesh-client.ts";

/** Longer than any step takes, on a busy machine too. */
const PATIENCE_MS = 20_000;
/** Until it says its first word. */
const FIRST_WORD_MS = 2_500;
/** The state of a large fleet. */
const MAX_REPLY_CHARACTERS = 64 * 1024 * 1024;

/** The control plane of a mesh does not answer, though the mesh runs. */
export class ControlPlaneAwayError extends HauberkError {
  readonly code = "HAUBERK_CONTROL_PLANE_AWAY";
}

/** It takes connections, and says nothing: its process is there, and nobody starts it again. */
class SilentError extends Error {}

const STARTED_AGAIN = "it is started again by itself";
const HANGS =
  "it hangs, and kubectl rollout restart deployment istiod -n istio-system starts it anew";

export interface AskOptions {
  /** How long to wait for the answer, once it has said a first word; absent: as long as a step of it may take. */
  readonly patienceMs?: number;
}

/**
 * One that hangs is told within three seconds, whatever is asked, and never takes a step that it was asked for while it hung.
 *
 * @throws NoMeshError when no mesh runs there, ControlPlaneAwayError
 */
export async function askControlPlane(
  dataDirectory: DataDirectory,
  request: ControlRequest,
  { patienceMs = PATIENCE_MS }: AskOptions = {},
): Promise<ControlReply> {
  const path = dataDirectory.controlPlaneSocket;
  await dataDirectory.verify();
  try {
    await refuseStrangers(path);
    return await askOnce(path, request, patienceMs);
  } catch (cause) {
    await findRunningMesh(dataDirectory);
    const next = cause instanceof SilentError ? HANGS : STARTED_AGAIN;
    throw new ControlPlaneAwayError(
      `the control plane of the mesh in ${dataDirectory.path} does not answer (${describeError(cause)}); ${next}: see ${dataDirectory.controlPlaneLog}`,
    );
  }
}

function askOnce(path: string, request: ControlRequest, patienceMs: number): Promise<ControlReply> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(path);
    let timer: NodeJS.Timeout | undefined;
    const ask = (question: ControlRequest | Hello, waitMs: number): void => {
      clearTimeout(timer);
      const silent = `it was silent for ${waitMs / 1000} s`;
      timer = setTimeout(() => socket.destroy(new SilentError(silent)), waitMs);
      writeJsonLine(socket, question);
    };
    socket.on("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error("it broke off"));
    });
    let isThere = false;
    readJsonLines(
      socket,
      (reply) => {
        if (!isThere) {
          isThere = true;
          ask(request, patienceMs);
          return;
        }
        resolve(reply as ControlReply);
        socket.destroy();
      },
      { maxLineCharacters: MAX_REPLY_CHARACTERS },
    );
    ask(HELLO, Math.min(FIRST_WORD_MS, patienceMs));
  });
}

async function refuseStrangers(path: string): Promise<void> {
  const found = await lstat(path);
  if (!found.isSocket() || found.uid !== process.getuid?.())
    throw new Error(`${path} is not a socket of this user`);
}
