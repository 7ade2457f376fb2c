/** One question to one name server, over UDP or TCP, from a fresh port and under a fresh id (RFC 5452 section 9). */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { SocketAddress } from "../../policy/workload.ts";
import {
  type DnsEnvelope,
  readDnsEnvelope,
  sameDnsQuestion,
  withDnsId,
} from "../../runtime/dns-envelope.ts";
import { frameDnsMessage, readDnsMessages } from "../../runtime/dns-stream.ts";

const IDS = 65_536;

export interface ExchangeLimits {
  readonly timeoutMs: number;
}

/** How one transport sends the question, and hears answers; returns how to be rid of it. */
type Transport = (
  server: SocketAddress,
  question: Buffer,
  heard: {
    readonly message: (message: Buffer) => void;
    readonly failure: (error: Error) => void;
  },
) => () => void;

/** @throws Error when the server cannot be reached, or does not answer in time */
export function askOverUdp(
  server: SocketAddress,
  query: Buffer,
  limits: ExchangeLimits,
): Promise<Buffer> {
  return ask({ server, query, transport: overUdp }, limits);
}

/** @throws Error when the server cannot be reached, or does not answer in time */
export function askOverTcp(
  server: SocketAddress,
  query: Buffer,
  limits: ExchangeLimits,
): Promise<Buffer> {
  return ask({ server, query, transport: overTcp }, limits);
}

function ask(
  {
    server,
    query,
    transport,
  }: { readonly server: SocketAddress; readonly query: Buffer; readonly transport: Transport },
  { timeoutMs }: ExchangeLimits,
): Promise<Buffer> {
  const asked = withDnsId(query, randomInt(IDS));
  return new Promise((resolve, reject) => {
    const leave = transport(server, asked, {
      message(message) {
        if (isAnswer(readDnsEnvelope(message), asked))
          settle(() => resolve(answerTo(query, message)));
      },
      failure: (error) => settle(() => reject(error)),
    });
    const timer = setTimeout(
      () => settle(() => reject(new Error(`no answer within ${timeoutMs} ms`))),
      timeoutMs,
    );
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      leave();
      how();
    };
  });
}

const overUdp: Transport = ({ address, port }, question, heard) => {
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  let state: "open" | "closed" = "open";
  socket.on("message", heard.message).on("error", heard.failure);
  // A callback of connect() would be told of a failure too, as "connect" is not.
  socket.once("connect", () => {
    if (state === "open") socket.send(question);
  });
  // Connected, the kernel takes datagrams from this server alone, and tells when nobody listens there.
  socket.connect(port, address);
  return () => {
    if (state === "open") socket.close();
    state = "closed";
  };
};

const overTcp: Transport = ({ address: host, port }, question, heard) => {
  const socket = connect({ host, port, noDelay: true });
  socket.on("error", heard.failure);
  socket.once("close", () => heard.failure(new Error("the connection ended")));
  readDnsMessages(socket, heard.message);
  socket.write(frameDnsMessage(question));
  return () => socket.destroy();
};

function answerTo(query: Buffer, message: Buffer): Buffer {
  return withDnsId(message, query.readUInt16BE(0));
}

/** A failure may come without the question; anything else must repeat it. */
function isAnswer(answer: DnsEnvelope | undefined, asked: Buffer): boolean {
  const { id, question } = readDnsEnvelope(asked) ?? {};
  if (answer?.kind !== "response" || answer.id !== id || question === undefined) return false;
  if (answer.question === undefined) return answer.responseCode !== 0;
  return sameDnsQuestion(answer.question, question);
}
