/**
 * Connections of HTTP/2 in either role, whose peer says anything in any order and whose owner does anything meanwhile:
 * nothing throws, what is held is bounded, and every stream that was told of ends. `http2` compares what is read.
 */
import { Http2Connection } from "../../src/http/http2/connection.ts";
import type { Http2Events, Role } from "../../src/http/http2/events.ts";
import { FRAME_HEADER } from "../../src/http/http2/frame.ts";
import { FieldBlock } from "../../src/http/http2/hpack/field-block.ts";
import {
  DYNAMIC_TABLE_SIZE,
  MAX_BLOCK,
  MAX_FRAME_SIZE,
  MAX_OUTPUT,
  OUTPUT_HIGH_WATER,
} from "../../src/http/http2/limits.ts";
import type { Http2Stream } from "../../src/http/http2/stream.ts";
import { describeError } from "../../src/runtime/hauberk-error.ts";
import { Dice } from "../kit/dice.ts";
import type { Fuzzer } from "./fuzz/fuzzer.ts";
import { conversationOf } from "./fuzz/http2-conversations.ts";

const BATCH = 200;
const MAX_PRINTED = 10;
/** A frame and a block in the making, a table with its slots, and output. */
const MOST_HELD =
  FRAME_HEADER +
  MAX_FRAME_SIZE +
  MAX_BLOCK +
  3 * DYNAMIC_TABLE_SIZE +
  MAX_OUTPUT +
  OUTPUT_HIGH_WATER;
const BODY = Buffer.alloc(100_000, "b");

const counts = { connections: 0, streams: 0, failed: 0, deeds: 0, faults: 0 };

export const http2StatesFuzzer: Fuzzer = {
  name: "http2-states",
  async run({ end, seed }) {
    const dice = new Dice(seed);
    while (Date.now() < end) {
      for (let count = 0; count < BATCH; count++) await examine(dice);
    }
    const { connections, streams, failed, deeds, faults } = counts;
    console.log(
      `${connections} connections, ${failed} of them failed: ${streams} streams, ${deeds} deeds of owners`,
    );
    console.log(`${faults} that threw, held too much, or left a stream without an end`);
    return faults === 0 && streams > 0 ? "well" : "at fault";
  },
};

async function examine(dice: Dice): Promise<void> {
  const role = dice.pick(["server", "client"] as const);
  const bytes = conversationOf(role === "server" ? "client" : "server", dice);
  const owner = new Owner(role, dice);
  counts.connections += 1;
  try {
    owner.hear(bytes);
    owner.leave();
  } catch (error) {
    tellFault(role, bytes, describeError(error));
    return;
  }
  if (owner.problem !== "") tellFault(role, bytes, owner.problem);
  if (owner.hasFailed) counts.failed += 1;
}

class Owner {
  problem = "";
  hasFailed = false;
  readonly #dice: Dice;
  readonly #role: Role;
  readonly #connection: Http2Connection<number>;
  /** Those that have been told of, or opened, and not ended either way. */
  readonly #open: Set<Http2Stream<number>> = new Set();
  readonly #unanswered: Set<Http2Stream<number>> = new Set();
  readonly #block: FieldBlock = new FieldBlock();
  #held: { readonly stream: Http2Stream<number>; readonly octets: number }[] = [];

  constructor(role: Role, dice: Dice) {
    this.#dice = dice;
    this.#role = role;
    this.#connection = new Http2Connection({ role, now: () => 0 }, this.#events());
    this.#connection.start();
    if (role === "client") for (let count = 0; count < 3; count++) this.#ask();
  }

  hear(bytes: Buffer): void {
    for (let from = 0; from < bytes.length && !this.#connection.isOver; ) {
      const to = Math.min(
        bytes.length,
        from + this.#dice.between(1, this.#dice.chance(0.5) ? 12 : 400),
      );
      const piece = Buffer.from(bytes.subarray(from, to));
      this.#connection.receive(piece, 0, piece.length);
      piece.fill(0xee);
      from = to;
      this.#act();
      if (this.#connection.held > MOST_HELD)
        this.problem = `${this.#connection.held} octets are held`;
    }
  }

  leave(): void {
    this.#connection.abandon();
    this.#takeAll();
    const left = [...this.#open].filter(({ isClosed }) => !isClosed);
    if (left.length > 0)
      this.problem = `streams without an end: ${left.map(({ id }) => id).join()}`;
    if (this.#connection.openStreams > 0)
      this.problem = "streams are open on an abandoned connection";
  }

  #act(): void {
    const dice = this.#dice;
    if (dice.chance(0.5)) return;
    counts.deeds += 1;
    const [stream] = dice.shuffled([...this.#open]);
    const deeds = [
      () => this.#takeAll(),
      () => this.#takeAll(),
      () => this.#give(),
      () => this.#give(),
      () => this.#answer(),
      () => this.#answer(),
      () => stream && this.#send(stream),
      () => stream && dice.chance(0.2) && this.#reset(stream),
      () => this.#ask(),
      () => this.#connection.ping(),
      () => dice.chance(0.05) && this.#connection.drain(),
      () => dice.chance(0.05) && this.#connection.finishDrain(),
    ];
    dice.pick(deeds)();
  }

  #ask(): void {
    if (this.#role !== "client" || !this.#connection.mayOpen) return;
    this.#block.request("POST", "http");
    this.#block.authority("api");
    this.#block.path("/");
    const stream = this.#connection.open(this.#block, this.#dice.chance(0.5) ? "last" : "more", 0);
    this.#open.add(stream);
    counts.streams += 1;
  }

  #answer(): void {
    const [stream] = this.#unanswered;
    if (stream === undefined) return;
    this.#unanswered.delete(stream);
    this.#block.response(200);
    this.#connection.sendHead(stream, this.#block, this.#dice.chance(0.3) ? "last" : "more");
  }

  /** Only what may be sent: a head is due first, and behind an end nothing is. */
  #send(stream: Http2Stream<number>): void {
    if (stream.sending !== "body") return;
    const to = this.#dice.between(0, BODY.length);
    const following = this.#dice.chance(0.3) ? "last" : "more";
    this.#connection.sendData(stream, { bytes: BODY, from: 0, to, following });
  }

  #reset(stream: Http2Stream<number>): void {
    this.#open.delete(stream);
    this.#unanswered.delete(stream);
    this.#connection.reset(stream, 8);
  }

  #give(): void {
    for (const { stream, octets } of this.#held.splice(0))
      this.#connection.consumed(stream, octets);
  }

  #takeAll(): void {
    for (
      let batch = this.#connection.take();
      batch !== undefined;
      batch = this.#connection.take()
    ) {
      batch.release();
    }
  }

  #events(): Http2Events<number> {
    const end = (stream: Http2Stream<number>): void => {
      this.#open.delete(stream);
      this.#unanswered.delete(stream);
    };
    return {
      head: (stream) => {
        if (this.#role === "client") return;
        this.#open.add(stream);
        this.#unanswered.add(stream);
        counts.streams += 1;
      },
      data: (stream, { from, to }) => this.#held.push({ stream, octets: to - from }),
      trailers: () => {},
      reset: end,
      writable: (stream) => this.#send(stream),
      settings: () => {},
      settingsAcknowledged: () => {},
      goaway: () => {},
      pong: () => {},
      drained: () => {},
      violation: () => {},
      failed: () => {
        this.hasFailed = true;
      },
      flush: () => {},
    };
  }
}

function tellFault(role: Role, bytes: Buffer, problem: string): void {
  counts.faults += 1;
  if (counts.faults > MAX_PRINTED) return;
  console.log(`as ${role}: ${problem}`);
  console.log(`  ${bytes.toString("hex")}`);
}
