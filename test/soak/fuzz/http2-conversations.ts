/** What a peer may say on one connection: frames in an order that is mostly legal, then changed in a few octets. */

import type { Role } from "../../../src/http/http2/events.ts";
import { FLAG, FRAME } from "../../../src/http/http2/frame.ts";
import type { Dice } from "../../kit/dice.ts";
import {
  data,
  frame,
  goaway,
  opening,
  ping,
  reset,
  settings,
  uint32,
  windowUpdate,
} from "../../kit/http2-frames.ts";
import { requestBlock, responseBlock, trailersBlock } from "./http2-blocks.ts";

const MAX_FRAMES = 14;
const CHANGED = 0.15;
const ODD_ID = 0.05;
const BODY = "0123456789";

/** Bytes of a peer, from its preface on. */
export function conversationOf(peer: Role, dice: Dice): Buffer {
  const speaker = new Speaker(peer, dice);
  const frames = dice.several(1, MAX_FRAMES, () => speaker.say());
  const bytes = Buffer.concat([opening(peer), ...frames]);
  return dice.chance(CHANGED) ? changed(bytes, dice) : bytes;
}

class Speaker {
  readonly #peer: Role;
  readonly #dice: Dice;
  #last: number;
  /** Those whose end was not said. */
  #open: number[];

  constructor(peer: Role, dice: Dice) {
    this.#peer = peer;
    this.#dice = dice;
    // A server answers the requests that there are.
    this.#open = peer === "server" ? [1, 3, 5] : [];
    this.#last = peer === "server" ? 5 : -1;
  }

  say(): Buffer {
    const dice = this.#dice;
    const makers = [
      () => this.#head(),
      () => this.#head(),
      () => this.#head(),
      () => this.#body(),
      () => this.#body(),
      () => this.#trailers(),
      () => reset(this.#anyId(), dice.between(0, 14)),
      () =>
        windowUpdate(dice.pick([0, this.#anyId()]), dice.pick([1, 100, 65_536, 0, 0x7fff_ffff])),
      () =>
        settings(
          ...dice.several(0, 3, () => [dice.pick(SETTING_IDS), dice.pick(SETTING_VALUES)] as const),
        ),
      () => ping(),
      () => this.#priority(),
      () =>
        frame(
          dice.between(10, 255),
          dice.between(0, 255),
          this.#anyId(),
          Buffer.alloc(dice.between(0, 9)),
        ),
      () => this.#rare(),
    ];
    return dice.pick(makers)();
  }

  #head(): Buffer {
    const dice = this.#dice;
    const isServer = this.#peer === "server";
    const id = isServer ? this.#anyId() : this.#nextId();
    const ending = dice.chance(0.5) ? "last" : "more";
    if (ending === "more" && !isServer) this.#open.push(id);
    return cutIntoFrames(dice, {
      id,
      ending,
      block: isServer ? responseBlock(dice) : requestBlock(dice),
    });
  }

  #trailers(): Buffer {
    const ending = this.#dice.chance(0.9) ? "last" : "more";
    return cutIntoFrames(this.#dice, {
      id: this.#someOpen(),
      ending,
      block: trailersBlock(this.#dice),
    });
  }

  #body(): Buffer {
    const dice = this.#dice;
    const id = this.#someOpen();
    const ending = dice.chance(0.4) ? "last" : "more";
    if (ending === "last") this.#open = this.#open.filter((one) => one !== id);
    const body = BODY.slice(0, dice.between(0, BODY.length));
    if (dice.chance(0.8)) return data(id, body, ending);
    const padding = dice.between(0, 12);
    const claimed = dice.chance(0.9) ? padding : dice.between(0, 255);
    const payload = Buffer.concat([
      Buffer.from([claimed]),
      Buffer.from(body),
      Buffer.alloc(padding),
    ]);
    return frame(FRAME.DATA, FLAG.PADDED | (ending === "last" ? FLAG.END_STREAM : 0), id, payload);
  }

  #priority(): Buffer {
    const on = this.#anyId();
    return frame(
      FRAME.PRIORITY,
      0,
      on,
      Buffer.concat([uint32(this.#dice.chance(ODD_ID) ? on : 0), Buffer.from([7])]),
    );
  }

  #rare(): Buffer {
    const dice = this.#dice;
    if (dice.chance(0.8)) return ping();
    return dice.pick([
      () => frame(FRAME.SETTINGS, FLAG.ACK, 0),
      () => goaway(dice.pick([0, 1, 5, 0x7fff_ffff]), dice.between(0, 14)),
      () => frame(FRAME.PUSH_PROMISE, FLAG.END_HEADERS, 1, uint32(2)),
      () => frame(FRAME.CONTINUATION, FLAG.END_HEADERS, this.#anyId(), requestBlock(dice)),
      () => frame(FRAME.PING, 0, 0, Buffer.alloc(dice.between(0, 9))),
      () => frame(FRAME.HEADERS, dice.between(0, 255), this.#nextId(), requestBlock(dice)),
      () => Buffer.from([0xff, 0xff, 0xff, dice.between(0, 9), 0, 0, 0, 0, 1]),
    ])();
  }

  #nextId(): number {
    if (this.#dice.chance(ODD_ID)) return this.#dice.between(0, 12);
    this.#last += 2;
    return this.#last;
  }

  #anyId(): number {
    const dice = this.#dice;
    if (this.#last < 1 || dice.chance(ODD_ID)) return dice.between(0, this.#last + 4);
    return 2 * dice.between(0, (this.#last - 1) / 2) + 1;
  }

  #someOpen(): number {
    const known = this.#open.length > 0 && !this.#dice.chance(ODD_ID);
    return known ? this.#dice.pick(this.#open) : this.#anyId();
  }
}

/** Mostly defined ones. */
const SETTING_IDS = [0, 1, 1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 10, 65_535];
const SETTING_VALUES = [0, 1, 100, 4_096, 16_384, 65_535, 1_000_000, 0x7fff_ffff, 0xffff_ffff];

/** HEADERS, with or without padding and priority, and CONTINUATION where the dice cut it. */
function cutIntoFrames(
  dice: Dice,
  {
    id,
    ending,
    block,
  }: { readonly id: number; readonly ending: "more" | "last"; readonly block: Buffer },
): Buffer {
  const cuts = dice.chance(0.8) ? [] : dice.several(1, 3, () => dice.between(0, block.length));
  const places = [0, ...cuts.sort((a, b) => a - b), block.length];
  const pieces = places.slice(1).map((to, at) => block.subarray(places[at], to));
  return Buffer.concat(
    pieces.map((piece, at) => {
      const isLast = at === pieces.length - 1 ? FLAG.END_HEADERS : 0;
      if (at > 0) return frame(FRAME.CONTINUATION, isLast, id, piece);
      const end = ending === "last" ? FLAG.END_STREAM : 0;
      return firstFrame(dice, { id, flags: isLast | end, piece });
    }),
  );
}

function firstFrame(
  dice: Dice,
  { id, flags, piece }: { readonly id: number; readonly flags: number; readonly piece: Buffer },
): Buffer {
  const padding = dice.chance(0.1) ? dice.between(0, 20) : undefined;
  const hasPriority = dice.chance(0.1);
  const front = [
    ...(padding === undefined ? [] : [Buffer.from([padding])]),
    ...(hasPriority ? [uint32(dice.chance(ODD_ID) ? id : 0), Buffer.from([1])] : []),
  ];
  const all = flags | (padding === undefined ? 0 : FLAG.PADDED) | (hasPriority ? FLAG.PRIORITY : 0);
  return frame(
    FRAME.HEADERS,
    all,
    id,
    Buffer.concat([...front, piece, Buffer.alloc(padding ?? 0)]),
  );
}

function changed(bytes: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(bytes);
  // The preface decides what is read at all, and has tests of its own.
  for (let count = dice.between(1, 3); count > 0; count--) {
    copy[dice.between(Math.min(24, copy.length - 1), copy.length - 1)] = dice.between(0, 255);
  }
  return dice.chance(0.2) ? copy.subarray(0, dice.between(24, copy.length)) : copy;
}
