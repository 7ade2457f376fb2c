/** Where a sidecar's administration is asked: on its two doors, or by the process that has them for several workers. */
import type { Log } from "../runtime/log.ts";
import type { AnswerAdmin } from "./admin-routes.ts";
import { type AdminOptions, AdminServer } from "./admin-server.ts";
import { openAdminSocket } from "./admin-socket.ts";
import { openWhenFree } from "./open-when-free.ts";

export interface SidecarAdminOptions extends Omit<AdminOptions, "port"> {
  readonly adminPort: number;
  /** Absent: there is no socket. */
  readonly adminSocket?: string | undefined;
  readonly answer: AnswerAdmin;
  readonly log: Log;
}

export interface SidecarAdmin {
  close(): Promise<void>;
}

/**
 * Opens both.
 *
 * @throws ListenError
 */
export async function openSidecarAdmin(options: SidecarAdminOptions): Promise<SidecarAdmin> {
  const { adminPort: port, adminSocket: path, answer, log } = options;
  const server = new AdminServer({ ...options, port });
  await openWhenFree(() => server.open());
  try {
    const socket = path === undefined ? undefined : await openAdminSocket({ path, answer, log });
    return {
      close: async () => {
        await Promise.all([server.close(), socket?.close()]);
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
