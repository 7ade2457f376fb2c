/** Stands on the way to a proxy or an application, and sees what is spoken there, whoever speaks it. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { SocketAddress } from "../../../src/policy/workload.ts";
import { LOOPBACK, portOf } from "../../kit/sidecar-fixture.ts";

const TLS_HANDSHAKE = 0x16; // RFC 8446 section 5.1
/** What proxies of a mesh offer by ALPN, and no application does: `istio`, `istio-h2`. */
const OF_THE_MESH = "istio";

export class WatchedHop {
  readonly port: number;
  readonly #close: () => void;
  /** Of the newest connection; undefined: nobody has said anything. */
  #spoken: "mutual TLS" | "other" | undefined;

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.#close = close;
  }

  /**
   * @param target where it leads; undefined: nobody is there, and connections end
   * @param from the address of which they seem to come
   */
  static async open(target: () => SocketAddress | undefined, from: string): Promise<WatchedHop> {
    const sockets = new Set<Socket>();
    const keep = (socket: Socket): Socket => {
      sockets.add(socket);
      socket.on("error", () => socket.destroy()).once("close", () => sockets.delete(socket));
      return socket;
    };
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      keep(socket);
      const to = target();
      if (to === undefined) {
        socket.destroy();
        return;
      }
      const { address: host, port } = to;
      const options = { host, port, localAddress: from, allowHalfOpen: true, noDelay: true };
      const onward = keep(connect(options));
      socket.once("data", (bytes: Buffer) => hop.#hears(bytes));
      socket.once("close", () => onward.destroy());
      onward.once("close", () => socket.destroy());
      socket.pipe(onward).pipe(socket);
    });
    await once(server.listen(0, LOOPBACK), "listening");
    const hop: WatchedHop = new WatchedHop(portOf(server), () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return hop;
  }

  get isMutualTls(): boolean {
    return this.#spoken === "mutual TLS";
  }

  close(): void {
    this.#close();
  }

  #hears(bytes: Buffer): void {
    const isMesh = bytes[0] === TLS_HANDSHAKE && bytes.includes(OF_THE_MESH);
    this.#spoken = isMesh ? "mutual TLS" : "other";
  }
}
