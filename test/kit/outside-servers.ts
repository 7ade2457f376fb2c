/** Servers that are no part of a mesh, on an address of this machine that is not its loopback. */
import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { networkInterfaces } from "node:os";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

/** The first; undefined where there is none but the loopback. */
export const OUTSIDE_ADDRESS: string | undefined = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

export interface OutsideServers {
  /** URLs; each answers every request with `answer`. */
  readonly http: string;
  readonly https: string;
  readonly answer: string;
  /** Of the authority that vouches for `https`. */
  readonly rootPem: string;
  close(): void;
}

export async function openOutsideServers(address: string): Promise<OutsideServers> {
  const answer = "from outside";
  const greet: RequestListener = (_request, response) => void response.end(`${answer}\n`);
  const { rootPem, serverCertificate } = createThrowawayAuthority();
  const { certificateChainPem: cert, privateKeyPem: key } = serverCertificate({
    ipAddresses: [address],
  });
  const servers = [createHttpServer(greet), createHttpsServer({ cert, key }, greet)] as const;
  const [http, https] = servers;
  return {
    http: `http://${address}:${await listen(http, address)}/`,
    https: `https://${address}:${await listen(https, address)}/`,
    answer,
    rootPem,
    close: () => {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

async function listen(server: Server, address: string): Promise<number> {
  await once(server.listen(0, address), "listening");
  return (server.address() as AddressInfo).port;
}
