/** Makes calls over real sockets, those of one connection in order. */
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SocketAddress } from "../../src/policy/workload.ts";
import { GREETING, REPLY } from "./application.ts";
import { Http1Answers } from "./http1-answers.ts";
import { contextOf, signed } from "./known-parties.ts";
import {
  type Call,
  type CalledPort,
  connectionKey,
  LATE,
  type Outcome,
  type WireRequest,
} from "./question.ts";

/** As Istio's sidecars offer: also to those that do not speak it. */
const OFFERED: Readonly<Record<CalledPort["protocol"], readonly string[]>> = {
  "http/1.1": ["istio-http/1.1", "istio", "http/1.1"],
  h2: ["istio-h2", "istio", "h2"],
  tcp: ["istio"],
};
const PATIENCE_MS = 15_000;
/** What takes longer tells of the machine. */
const SLOW_MS = 5_000;

type Send = (request: WireRequest) => Promise<Outcome>;

interface OpenConnection {
  readonly send: Send;
  readonly isOpen: () => boolean;
  close(): void;
}

/**
 * @param placeOf where a container port is served
 * @param now milliseconds, of a clock that never goes back
 * @returns in the order of the calls
 */
export async function callAll(
  calls: readonly Call[],
  placeOf: (containerPort: number) => SocketAddress,
  now: () => number = () => performance.now(),
): Promise<readonly Outcome[]> {
  const outcomes = new Map<Call, Outcome>();
  for (const group of byConnection(calls)) {
    let connection: OpenConnection | undefined;
    for (const call of group) {
      const begun = now();
      let outcome: Outcome;
      if (call.request === undefined) outcome = await callTcp(call, placeOf);
      else {
        if (connection?.isOpen() !== true) connection = await open(call, placeOf);
        outcome = (await connection?.send(call.request)) ?? refused("closed");
      }
      // Proxies give up by themselves, too: on handshakes after ten seconds. Who got in got in, however slowly.
      const tellsOfMachine = outcome.verdict === "denied" && now() - begun > SLOW_MS;
      outcomes.set(call, tellsOfMachine ? refused(LATE) : outcome);
    }
    connection?.close();
  }
  return calls.map((call) => outcomes.get(call) ?? refused("unasked"));
}

function byConnection(calls: readonly Call[]): Iterable<readonly Call[]> {
  const groups = new Map<string, Call[]>();
  for (const call of calls) {
    const key = connectionKey(call);
    const group = groups.get(key) ?? [];
    group.push(call);
    groups.set(key, group);
  }
  return groups.values();
}

function refused(seen: string): Outcome {
  return { verdict: "denied", seen };
}

function answered(status: number): Outcome {
  return { verdict: status === 200 ? "allowed" : "denied", seen: String(status) };
}

async function callTcp(
  call: CalledPort,
  placeOf: (containerPort: number) => SocketAddress,
): Promise<Outcome> {
  const socket = await dial(call, placeOf(call.containerPort));
  if (socket === undefined) return refused("closed");
  socket.write(GREETING);
  const text = await new Promise<string>((resolve) => {
    socket.setTimeout(PATIENCE_MS, () => resolve(LATE));
    socket.once("data", (data) => resolve(data.toString("latin1")));
    socket.once("close", () => resolve(""));
    socket.once("error", () => resolve(""));
  });
  socket.destroy();
  return text === REPLY ? { verdict: "allowed", seen: "reply" } : refused(text || "closed");
}

async function open(
  call: Call,
  placeOf: (containerPort: number) => SocketAddress,
): Promise<OpenConnection | undefined> {
  const socket = await dial(call, placeOf(call.containerPort));
  if (socket === undefined) return undefined;
  return call.protocol === "h2" ? overHttp2(socket) : overHttp1(socket);
}

/** @returns undefined where the connection was refused */
async function dial(
  { caller, sourceAddress, serverName, protocol }: CalledPort,
  { address, port }: SocketAddress,
): Promise<Socket | undefined> {
  const raw = connect({ host: address, port, localAddress: sourceAddress, noDelay: true });
  raw.on("error", () => raw.destroy());
  if (caller.kind === "plaintext") {
    return once(raw, "connect").then(
      () => raw,
      () => undefined,
    );
  }
  const socket = connectTls({
    socket: raw,
    secureContext: contextOf(caller),
    rejectUnauthorized: false,
    ALPNProtocols: [...OFFERED[protocol]],
    ...(serverName !== undefined && { servername: serverName }),
  });
  socket.on("error", () => socket.destroy());
  return new Promise((resolve) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("close", () => resolve(undefined));
  });
}

function overHttp1(socket: Socket): OpenConnection {
  const answers = new Http1Answers(socket);
  return {
    isOpen: () => answers.isOpen,
    close: () => socket.destroy(),
    send: async (request) => {
      const status = await answers.next(writtenRequest(request), PATIENCE_MS);
      return typeof status === "number" ? answered(status) : refused(status);
    },
  };
}

function writtenRequest(request: WireRequest): string {
  const { method, path, authority, beside, trailers } = request;
  const target = beside === undefined ? path : `http://${authority}${path}`;
  const head = `${method} ${target} HTTP/1.1\r\nhost: ${beside ?? authority}\r\n${written(allHeaders(request))}`;
  if (trailers === undefined) return `${head}\r\n`;
  return `${head}transfer-encoding: chunked\r\n\r\n${BODY.length}\r\n${BODY}\r\n0\r\n${written(trailers)}\r\n`;
}

const BODY = "body";

function written(fields: WireRequest["headers"]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

function allHeaders({ headers, token }: WireRequest): WireRequest["headers"] {
  return token === undefined ? headers : [...headers, ["authorization", `Bearer ${signed(token)}`]];
}

async function overHttp2(socket: Socket): Promise<OpenConnection | undefined> {
  const session = connectHttp2("http://unused", { createConnection: () => socket });
  session.on("error", () => session.destroy());
  const isThere = await new Promise<boolean>((resolve) => {
    session.once("remoteSettings", () => resolve(true));
    session.once("close", () => resolve(false));
  });
  if (!isThere) return undefined;
  return {
    isOpen: () => !session.closed && !session.destroyed,
    close: () => session.destroy(),
    send: (request) => sendHttp2(session, request),
  };
}

function sendHttp2(session: ClientHttp2Session, request: WireRequest): Promise<Outcome> {
  const { method, path, authority, trailers } = request;
  const stream = session.request(
    {
      ...asHttp2Has(allHeaders(request)),
      ":method": method,
      ":path": path,
      ":authority": authority,
    },
    trailers === undefined ? {} : { endStream: false, waitForTrailers: true },
  );
  return new Promise((resolve) => {
    stream.setTimeout(PATIENCE_MS, () => {
      resolve(refused(LATE));
      stream.destroy();
    });
    stream.on("error", () => resolve(refused("reset")));
    stream.on("close", () => resolve(refused("closed")));
    stream.on("response", (fields) => resolve(answered(Number(fields[":status"]))));
    stream.on("wantTrailers", () => stream.sendTrailers(asHttp2Has(trailers ?? [])));
    stream.resume();
    stream.end(trailers === undefined ? undefined : BODY);
  });
}

function asHttp2Has(fields: WireRequest["headers"]): Record<string, string[]> {
  const byName: Record<string, string[]> = {};
  for (const [written, value] of fields) {
    const name = written.toLowerCase();
    byName[name] ??= [];
    byName[name].push(value);
  }
  return byName;
}
