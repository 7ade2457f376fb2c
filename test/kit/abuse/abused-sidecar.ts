/** A sidecar that is abused: before an application of each version of HTTP, with clients that behave meanwhile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import type { Server, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls, createSecureContext, type SecureContext } from "node:tls";
import { freePort } from "../free-port.ts";
import { idOf, inboundPort, LOOPBACK, portOf } from "../sidecar-fixture.ts";
import { SidecarProcess } from "../sidecar-process.ts";
import { dial } from "../smuggling/sidecar-lanes.ts";
import { createThrowawayAuthority } from "../throwaway-authority.ts";
import { LARGE, startCarelessHttp2 } from "./careless-http2.ts";

export type AbusedPort = "http" | "http2";
export type Transport = "plaintext" | "mutual TLS";

const PAUSE_MS = 20;

/** As `startCarelessHttp2`. */
async function startCarelessHttp1(): Promise<Server> {
  const server = createServer(({ url }, response) => {
    if (url === "/large") response.end(LARGE);
    else if (url !== "/sink") response.end("ok");
  });
  await once(server.listen(0, LOOPBACK), "listening");
  return server;
}

interface AbusedParts {
  readonly process: SidecarProcess;
  readonly ports: Readonly<Record<AbusedPort, number>>;
  /** Of the attackers: a certificate of the mesh. */
  readonly secureContext: SecureContext;
  readonly applications: readonly Server[];
}

export class AbusedSidecar {
  readonly process: SidecarProcess;
  readonly #ports: AbusedParts["ports"];
  readonly #secureContext: SecureContext;
  readonly #applications: readonly Server[];
  readonly #sockets = new Set<Socket>();

  private constructor({ process, ports, secureContext, applications }: AbusedParts) {
    this.process = process;
    this.#ports = ports;
    this.#secureContext = secureContext;
    this.#applications = applications;
  }

  static async start(): Promise<AbusedSidecar> {
    const mesh = createThrowawayAuthority();
    const applications = [await startCarelessHttp1(), await startCarelessHttp2()] as const;
    const ports = { http: await freePort(), http2: await freePort() };
    const [http, http2] = applications;
    const mode = "PERMISSIVE";
    const inbound = [
      inboundPort({ listen: ports.http, application: portOf(http), protocol: "http", mode }),
      {
        ...inboundPort({
          listen: ports.http2,
          application: portOf(http2),
          protocol: "http2",
          mode,
        }),
        containerPort: 8081,
      },
    ];
    const svid = mesh.svid(idOf("api"));
    const process = await SidecarProcess.start({ rootPem: mesh.rootPem, svid, ports: inbound });
    const { certificateChainPem: cert, privateKeyPem: key } = mesh.svid(idOf("frontend"));
    const secureContext = createSecureContext({ cert, key });
    return new AbusedSidecar({ process, ports, secureContext, applications });
  }

  async connect(port: AbusedPort, transport: Transport): Promise<Socket> {
    const socket = await (transport === "plaintext"
      ? dial(this.#ports[port])
      : this.#dialTls(port));
    socket.on("error", () => socket.destroy());
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }

  async #dialTls(port: AbusedPort): Promise<Socket> {
    const socket = connectTls({
      port: this.#ports[port],
      host: LOOPBACK,
      secureContext: this.#secureContext,
      ALPNProtocols: port === "http" ? ["istio-http/1.1", "http/1.1"] : ["istio-h2", "h2"],
      rejectUnauthorized: false,
    });
    await once(socket, "secureConnect");
    return socket;
  }

  /** @returns the longest that a client had to wait, in milliseconds: one of each version asks again and again */
  async longestWaitDuring(deed: () => Promise<unknown>): Promise<number> {
    const agent = new Agent({ keepAlive: true });
    const session = connect(`http://${LOOPBACK}:${this.#ports.http2}`).on("error", () => {});
    let isOver = false;
    let longest = 0;
    const askAgainAndAgain = async (ask: () => Promise<string>): Promise<void> => {
      while (!isOver) {
        const begun = performance.now();
        assert.equal(await ask(), "ok");
        longest = Math.max(longest, performance.now() - begun);
        await delay(PAUSE_MS);
      }
    };
    const over = deed().finally(() => {
      isOver = true;
    });
    try {
      await Promise.all([
        over,
        askAgainAndAgain(() => askHttp1(this.#ports.http, agent)),
        askAgainAndAgain(() => bodyOf(session.request({ ":path": "/" }))),
      ]);
    } finally {
      agent.destroy();
      session.destroy();
    }
    return longest;
  }

  /** Ends what attackers have left open. */
  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.leave();
    await this.process.stop();
    for (const server of this.#applications) server.close();
  }
}

async function askHttp1(port: number, agent: Agent): Promise<string> {
  const request = get({ port, host: LOOPBACK, agent });
  const [answer] = (await once(request, "response")) as [IncomingMessage];
  return bodyOf(answer);
}

async function bodyOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}
