/** Takes what the application sends, as fast as it comes, and compares every byte. */
import { connect } from "node:net";
import type { LoadOrder, LoadWork } from "./load-messages.ts";
import { Tally } from "./tally.ts";
import { TCP_PATTERN } from "./tcp-pattern.ts";

const MEGABYTE = 1_000_000;

export function receiveTcp(order: LoadOrder & { readonly kind: "tcp" }): LoadWork {
  const tally = new Tally();
  let ended = false;
  const open = (): void => {
    const socket = connect({ port: order.port });
    let place = 0;
    socket.on("connect", () => socket.write("\n")); // the callee's proxy need not wait for who speaks first
    socket.on("data", (chunk) => {
      tally.add(chunk.length / MEGABYTE);
      if (!isPattern(chunk, place)) tally.fail("other bytes than were sent");
      place = (place + chunk.length) % TCP_PATTERN.length;
    });
    socket.on("error", ({ message }) => ended || tally.fail(message));
    socket.on("end", () => ended || tally.fail("a connection was closed"));
  };
  for (let index = 0; index < order.connections; index++) open();
  return {
    begin: () => tally.begin(),
    end: () => {
      ended = true;
      return tally.end();
    },
  };
}

function isPattern(chunk: Buffer, place: number): boolean {
  for (let at = 0; at < chunk.length; ) {
    const from = (place + at) % TCP_PATTERN.length;
    const length = Math.min(chunk.length - at, TCP_PATTERN.length - from);
    if (TCP_PATTERN.compare(chunk, at, at + length, from, from + length) !== 0) return false;
    at += length;
  }
  return true;
}
