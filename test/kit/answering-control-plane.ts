/** The socket of a control plane whose answers a test gives, where a mesh keeps its state. */
import { openControlSocket } from "../../src/control/control-socket.ts";
import type { ControlReply, ControlRequest } from "../../src/control/control-socket-messages.ts";
import { DataDirectory } from "../../src/local/data-directory.ts";
import { recordedLog } from "./recorded-log.ts";

/**
 * @param data the data directory
 * @param use while it is open
 */
export async function whileAnswering<T>(
  data: string,
  answer: (request: ControlRequest) => ControlReply,
  use: () => Promise<T>,
): Promise<T> {
  const socket = await openControlSocket({
    path: new DataDirectory(data).controlPlaneSocket,
    answer: async (request) => answer(request),
    log: recordedLog(),
  });
  try {
    return await use();
  } finally {
    await socket.close();
  }
}
