/**
 * What Redis answers, in the older protocol (RESP2), which every Redis speaks: as much of it as counters need, and no more octets than
 * they have a use for. https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { HauberkError } from "../runtime/hauberk-error.ts";

/** Redis refuses what it was asked; the message begins with its word for why, such as `NOSCRIPT`. */
export class RedisRefusedError extends HauberkError {
  readonly code = "HAUBERK_REDIS_REFUSED";
}

/** Whoever answers speaks another language, or says more than anybody wants to know. */
export class NotRedisError extends HauberkError {
  readonly code = "HAUBERK_NOT_REDIS";
}

export type RedisReply = string | number | null | RedisRefusedError | readonly RedisReply[];

/** Of one answer: four numbers, or a sentence. */
const MAX_REPLY_OCTETS = 4_096;
const MAX_ITEMS = 16;
const NUMBER = /^[+-]?\d{1,20}$/;
const SIZE = /^(?:-1|\d{1,4})$/;
const LINE_END = "\r\n";

/** @returns one command */
export function redisCommand(parts: readonly string[]): string {
  const told = parts.map((part) => `$${Buffer.byteLength(part)}${LINE_END}${part}${LINE_END}`);
  return `*${parts.length}${LINE_END}${told.join("")}`;
}

/** Answers out of octets that come in whatever pieces. */
export class RedisReplies {
  readonly #take: (reply: RedisReply) => void;
  #held: Buffer = Buffer.alloc(0);
  #at = 0;

  /** @param take hears of each, in order; what it throws ends the reading */
  constructor(take: (reply: RedisReply) => void) {
    this.#take = take;
  }

  /** @throws NotRedisError */
  read(octets: Buffer): void {
    this.#held = this.#held.length === 0 ? octets : Buffer.concat([this.#held, octets]);
    this.#at = 0;
    let end = 0;
    for (;;) {
      const reply = this.#reply("list");
      if (reply === undefined) break;
      end = this.#at;
      this.#take(reply);
    }
    this.#held = this.#held.subarray(end);
    if (this.#held.length > MAX_REPLY_OCTETS) throw tooMuch();
    this.#held = Buffer.from(this.#held); // not all that came with it
  }

  /** @returns undefined where it is not whole yet */
  #reply(most: "list" | "item"): RedisReply | undefined {
    const line = this.#line();
    if (line === undefined) return undefined;
    const rest = line.slice(1);
    switch (line[0]) {
      case "+":
        return rest;
      case "-":
        return new RedisRefusedError(rest);
      case ":":
        if (NUMBER.test(rest)) return Number(rest);
        break;
      case "$":
        if (SIZE.test(rest)) return this.#text(Number(rest));
        break;
      case "*":
        if (SIZE.test(rest) && most === "list") return this.#list(Number(rest));
        break;
    }
    throw new NotRedisError("it does not answer as Redis does");
  }

  #line(): string | undefined {
    const end = this.#held.indexOf(LINE_END, this.#at, "latin1");
    if (end - this.#at > MAX_REPLY_OCTETS) throw tooMuch();
    if (end < 0) return undefined;
    const line = this.#held.toString("utf8", this.#at, end);
    this.#at = end + LINE_END.length;
    return line;
  }

  #text(octets: number): string | null | undefined {
    if (octets < 0) return null;
    if (octets > MAX_REPLY_OCTETS) throw tooMuch();
    const end = this.#at + octets;
    if (this.#held.length < end + LINE_END.length) return undefined;
    const text = this.#held.toString("utf8", this.#at, end);
    this.#at = end + LINE_END.length;
    return text;
  }

  #list(size: number): readonly RedisReply[] | null | undefined {
    if (size < 0) return null;
    if (size > MAX_ITEMS) throw tooMuch();
    const items: RedisReply[] = [];
    while (items.length < size) {
      const item = this.#reply("item");
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}

function tooMuch(): NotRedisError {
  return new NotRedisError("its answer is longer than any that was asked for");
}
