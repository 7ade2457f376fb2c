/** Where the tests of one file have their sidecars and the servers around them: all of it ends with the file. */
import { once } from "node:events";
import { Server as HttpServer } from "node:http";
import type { Server } from "node:net";
import { after } from "node:test";
import { LOOPBACK, startTestSidecar, type TestSidecar } from "./sidecar-fixture.ts";
import { createThrowawayAuthority, type ThrowawayAuthority } from "./throwaway-authority.ts";

export interface SidecarGround {
  readonly mesh: ThrowawayAuthority;
  readonly rootsPem: readonly string[];
  /** As `startTestSidecar`. */
  start(...options: Parameters<typeof startTestSidecar>): Promise<TestSidecar>;
  /** On a free port of the loopback. */
  listening<S extends Server>(server: S): Promise<S>;
}

/** To be called where a file begins. */
export function sidecarGround(): SidecarGround {
  const mesh = createThrowawayAuthority();
  const sidecars: TestSidecar[] = [];
  const servers: Server[] = [];
  after(async () => {
    for (const server of servers) {
      server.close();
      if (server instanceof HttpServer) server.closeAllConnections();
    }
    await Promise.all(sidecars.map(({ sidecar }) => sidecar.close()));
  });
  return {
    mesh,
    rootsPem: [mesh.rootPem],
    start: async (...options) => {
      const started = await startTestSidecar(...options);
      sidecars.push(started);
      return started;
    },
    listening: async (server) => {
      servers.push(server);
      await once(server.listen(0, LOOPBACK).unref(), "listening");
      return server;
    },
  };
}
