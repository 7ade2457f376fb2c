/** Sends one attack and its marker on a fresh connection, and waits until nothing more can come of it. */
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { AccessLogEntry } from "../../../src/telemetry/access-log.ts";
import { readAnswers } from "./read-answers.ts";
import type { Arrival, RecordedBytes, RecordingUpstream } from "./recording-upstream.ts";
import { bytesOf, END, get, type SmugglingCase } from "./smuggling-case.ts";

/** One way from a client through a proxy to an application. */
export interface Lane {
  readonly name: string;
  /** Whether a policy forbids `FORBIDDEN_PATH` and `FORBIDDEN_HEADER` on it. */
  readonly policy: "forbids" | "allows";
  /** Whether `X-Forwarded-Client-Cert` of the client itself may go on (OBS-32). */
  readonly callerFields: "kept" | "removed";
  readonly upstream: RecordingUpstream;
  /** A fresh connection, ready to be written to. */
  connect(): Promise<Socket>;
  /** What the proxy decided, as it goes on; absent: it does not say. */
  readonly entries?: readonly AccessLogEntry[];
  close(): void | Promise<void>;
}

export interface AttackExchange {
  readonly attack: SmugglingCase;
  /** All that the client meant to send, the marker behind it. */
  readonly sent: string;
  readonly received: string;
  readonly arrivals: readonly Arrival[];
  readonly bytes: readonly RecordedBytes[];
  readonly decisions: readonly AccessLogEntry[] | undefined;
  /** "unfinished": the application still waits for the rest of a request, although its client is gone. */
  readonly leftover: "nothing" | "unfinished";
  /** What the next client of the same proxy got: "own" is the answer to its request. */
  readonly bystander: "own" | "another's" | "none";
}

export const MARKER_PATH = "/marker";
const MARKER = get("X-Marker: 1\r\n", MARKER_PATH);
const BYSTANDER_PATH = "/bystander";
/** How long the marker waits for a first answer. */
const MARKER_PATIENCE_MS = 12;
/** Without a byte either way, nothing more is expected. */
const QUIET_MS = 60;
const LONGEST_MS = 2_000;
/** What may still be on its way once the marker is answered. */
const AFTERMATH_MS = 3;
const SETTLED_WITHIN_MS = 500;

export async function attackLane(lane: Lane, attack: SmugglingCase): Promise<AttackExchange> {
  const logged = lane.entries?.length ?? 0;
  const client = new Client(await lane.connect());
  await client.send(attack);
  const isHalfClosed = attack.pieces.includes(END);
  if (!isHalfClosed) await client.mark();
  await client.untilOver(lane.upstream);
  client.end();
  const leftover = await settled(lane.upstream);
  const { arrivals, bytes } = lane.upstream.take();
  const bystander = await askAsBystander(lane);
  lane.upstream.take();
  return {
    attack,
    sent: bytesOf(attack) + (isHalfClosed ? "" : MARKER),
    received: client.received,
    arrivals,
    bytes,
    decisions: await decisionsOf(lane, { client: client.address, logged, arrivals }),
    leftover,
    bystander,
  };
}

class Client {
  received = "";
  readonly address: string;
  readonly #socket: Socket;
  #lastHeard = performance.now();
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.address = `${socket.localAddress}:${socket.localPort}`;
    socket.on("data", (data: Buffer) => {
      this.received += data.toString("latin1");
      this.#lastHeard = performance.now();
    });
    socket.on("error", () => socket.destroy());
    for (const event of ["end", "close"]) {
      socket.on(event, () => {
        this.#isClosed = true;
      });
    }
  }

  async send({ pieces }: SmugglingCase): Promise<void> {
    for (const piece of pieces) {
      if (this.#isClosed) return;
      if (piece === END) this.#socket.end();
      else if (typeof piece === "string") this.#socket.write(piece, "latin1");
      else await delay(piece.pauseMs);
    }
  }

  /** Behind the first answer if there is one soon: the next request of a connection that is shared. */
  async mark(): Promise<void> {
    const until = performance.now() + MARKER_PATIENCE_MS;
    while (performance.now() < until && this.received === "" && !this.#isClosed) await delay(1);
    if (!this.#isClosed) this.#socket.write(MARKER, "latin1");
  }

  async untilOver(upstream: RecordingUpstream): Promise<void> {
    const until = performance.now() + LONGEST_MS;
    let arrived = upstream.arrived;
    while (performance.now() < until && !this.#isClosed) {
      if (this.received.includes(`GET ${MARKER_PATH}`)) break;
      if (upstream.arrived !== arrived) {
        arrived = upstream.arrived;
        this.#lastHeard = performance.now();
      }
      if (performance.now() - this.#lastHeard > QUIET_MS) break;
      await delay(1);
    }
    await delay(AFTERMATH_MS);
  }

  end(): void {
    this.#socket.destroy();
  }
}

/** What was left unfinished must end once its client is gone, and what is still on its way must arrive. */
async function settled(upstream: RecordingUpstream): Promise<AttackExchange["leftover"]> {
  const until = performance.now() + SETTLED_WITHIN_MS;
  let arrived = -1;
  while ((upstream.isWaiting || upstream.arrived !== arrived) && performance.now() < until) {
    arrived = upstream.arrived;
    await delay(1 + arrived / 2);
  }
  if (!upstream.isWaiting) return "nothing";
  upstream.reset();
  await delay(5);
  return "unfinished";
}

/** What is logged comes when a request is over: a little later than its answer. */
async function decisionsOf(
  { entries }: Lane,
  {
    client,
    logged,
    arrivals,
  }: {
    readonly client: string;
    readonly logged: number;
    readonly arrivals: readonly Arrival[];
  },
): Promise<readonly AccessLogEntry[] | undefined> {
  if (entries === undefined) return undefined;
  const expected = arrivals.filter(({ kind }) => kind === "whole").length;
  const until = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const own = entries.slice(logged).filter((one) => one.downstream_remote_address === client);
    const allowed = own.filter(({ decision }) => decision?.verdict === "allow");
    if (allowed.length >= expected || performance.now() > until) return own;
    await delay(1);
  }
}

async function askAsBystander(lane: Lane): Promise<AttackExchange["bystander"]> {
  const socket = await lane.connect();
  let received = "";
  socket.on("data", (data: Buffer) => {
    received += data.toString("latin1");
  });
  socket.on("error", () => socket.destroy());
  socket.write(get("", BYSTANDER_PATH), "latin1");
  const until = performance.now() + LONGEST_MS;
  while (performance.now() < until && !socket.closed) {
    if (readAnswers(received, ["GET"]).answers.length > 0) break;
    await delay(1);
  }
  socket.destroy();
  if (received === "") return "none";
  return received.endsWith(`GET ${BYSTANDER_PATH}`) ? "own" : "another's";
}
