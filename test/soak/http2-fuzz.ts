/**
 * Connections of HTTP/2, read by our codec and by nghttp2 through node:http2. A request that we take, nghttp2 must take for
 * the same: fields, body, trailers, and whether it is whole. That we refuse more is what we are for; why is counted.
 */
import { fieldName, fieldValue } from "../../src/http/field-ranges.ts";
import { Http2Connection } from "../../src/http/http2/connection.ts";
import { errorCodeName } from "../../src/http/http2/error-code.ts";
import type { Http2Violation } from "../../src/http/http2/events.ts";
import { FRAME, FRAME_HEADER, PREFACE } from "../../src/http/http2/frame.ts";
import { SETTING_SIZE } from "../../src/http/http2/peer-settings.ts";
import type { ReceivedHead } from "../../src/http/http2/received-head.ts";
import { Dice } from "../kit/dice.ts";
import { framesIn, type NodeRequest } from "../kit/node-http2.ts";
import type { Fuzzer } from "./fuzz/fuzzer.ts";
import { conversationOf } from "./fuzz/http2-conversations.ts";
import { NodeHttp2Judge } from "./fuzz/node-http2-judge.ts";

/** At a time: sessions take turns of the event loop. */
const BATCH = 32;
const MAX_PRINTED = 10;
const MAX_REASONS = 25;

interface OwnRequest {
  readonly id: number;
  readonly pseudo: readonly string[];
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[];
  isWhole: boolean;
  /** Something was refused before. */
  readonly isBehindRefusal: boolean;
  /** It was reset, or something was refused before its end: what comes of it there is not to be compared. */
  isGone: boolean;
}

interface OwnReading {
  readonly requests: readonly OwnRequest[];
  /** The first thing that was refused, in words. */
  readonly refusal: string | undefined;
}

/** What we take on purpose and nghttp2 does not. */
const EXPLAINED: readonly {
  readonly reason: string;
  readonly applies: (frames: readonly Buffer[]) => boolean;
}[] = [
  {
    reason:
      "acknowledgements of SETTINGS that nobody sent: RFC 9113 does not forbid them, and they are counted as idle talk",
    applies: (frames) =>
      frames.filter((frame) => isOf(frame, FRAME.SETTINGS) && ((frame[4] ?? 0) & 1) === 1).length >
      1,
  },
  {
    reason:
      "acknowledgements of a PING that nobody sent: RFC 9113 does not forbid them, and they are counted as idle talk; node:http2 ends the connection",
    applies: (frames) =>
      frames.some((frame) => isOf(frame, FRAME.PING) && ((frame[4] ?? 0) & 1) === 1),
  },
  {
    reason:
      "values of settings that RFC 9113 does not know: they are ignored (RFC 9113 section 6.5.2), and there judged by RFC 8441 and 9218",
    applies: (frames) => frames.some((frame) => isOf(frame, FRAME.SETTINGS) && setsForeign(frame)),
  },
  {
    reason:
      "requests behind a client's own GOAWAY: it promises nothing of them, and node:http2 ends the connection",
    applies: (frames) => frames.some((frame) => isOf(frame, FRAME.GOAWAY)),
  },
];

const LOST_WITH_CONNECTION =
  "a request behind what we refuse by a stream error, as RFC 9113 has it: there the connection has ended";

const counts = { connections: 0, requests: 0, whole: 0, stricter: 0, faults: 0 };
const explained = new Map<string, number>();
const refusals = new Map<string, number>();

export const http2Fuzzer: Fuzzer = {
  name: "http2",
  async run({ end, seed }) {
    const dice = new Dice(seed);
    const nghttp2 = new NodeHttp2Judge();
    try {
      while (Date.now() < end) {
        const all = dice.several(BATCH, BATCH, () => conversationOf("client", dice));
        const theirs = await nghttp2.read(all);
        for (const [index, bytes] of all.entries())
          judge(bytes, readOurs(bytes), theirs[index] ?? []);
      }
    } finally {
      nghttp2.close();
    }
    printCounts();
    if (nghttp2.aborts > 0)
      console.log(
        `Node's own HTTP/2 aborted its process ${nghttp2.aborts} times, and was asked again`,
      );
    return counts.faults === 0 && counts.whole > 0 ? "well" : "at fault";
  },
};

function readOurs(bytes: Buffer): OwnReading {
  const requests = new Map<number, OwnRequest>();
  let refusal: string | undefined;
  const refuse = ({ code, problem }: Http2Violation): void => {
    refusal ??= `${errorCodeName(code)}: ${problem}`;
  };
  const connection = new Http2Connection<undefined>(
    { role: "server", now: () => 0 },
    {
      head: ({ id }, head, following) => {
        requests.set(id, {
          id,
          pseudo: pseudoFields(head),
          fields: plainFields(head),
          body: "",
          trailers: [],
          isWhole: following === "last",
          isBehindRefusal: refusal !== undefined,
          isGone: refusal !== undefined,
        });
      },
      data: (stream, piece) => {
        const request = requests.get(stream.id);
        connection.consumed(stream, piece.to - piece.from);
        if (request === undefined) return;
        request.body += piece.bytes.toString("latin1", piece.from, piece.to);
        if (refusal !== undefined) request.isGone = true;
        if (piece.following === "last") request.isWhole = true;
      },
      trailers: ({ id }, fields) => {
        const request = requests.get(id);
        if (request === undefined) return;
        request.trailers = plainFields(fields);
        if (refusal !== undefined) request.isGone = true;
        request.isWhole = true;
      },
      reset: ({ id }) => {
        const request = requests.get(id);
        if (request !== undefined) request.isGone = true;
      },
      violation: refuse,
      failed: refuse,
      writable: () => {},
      settings: () => {},
      settingsAcknowledged: () => {},
      goaway: () => {},
      pong: () => {},
      drained: () => {},
      flush: () => {},
    },
  );
  connection.start();
  connection.receive(bytes, 0, bytes.length);
  return { requests: [...requests.values()], refusal };
}

function pseudoFields({ method, scheme, authority, path }: ReceivedHead): readonly string[] {
  return [`:authority: ${authority}`, `:method: ${method}`, `:path: ${path}`, `:scheme: ${scheme}`];
}

function plainFields(head: ReceivedHead): readonly string[] {
  return Array.from(
    { length: head.count },
    (_, at) => `${fieldName(head, at)}: ${fieldValue(head, at)}`,
  );
}

function judge(
  bytes: Buffer,
  { requests, refusal }: OwnReading,
  theirs: readonly NodeRequest[],
): void {
  counts.connections += 1;
  for (const request of requests) {
    const other = theirs.find(({ id }) => id === request.id);
    counts.requests += 1;
    if (other === undefined && request.isBehindRefusal) {
      explain(LOST_WITH_CONNECTION);
      return;
    }
    const difference = differenceOf(
      request,
      theirs.find(({ id }) => id === request.id),
    );
    if (difference === undefined) continue;
    tellFault(bytes, `stream ${request.id}: ${difference}`);
    return;
  }
  if (refusal === undefined) {
    counts.whole += 1;
    if (theirs.length > requests.length) {
      tellFault(
        bytes,
        `we read ${requests.length} requests without fault, nghttp2 ${theirs.length}`,
      );
    }
    return;
  }
  refusals.set(refusal, (refusals.get(refusal) ?? 0) + 1);
  if (theirs.length > requests.length) counts.stricter += 1;
}

function differenceOf(ours: OwnRequest, theirs: NodeRequest | undefined): string | undefined {
  if (theirs === undefined) return `only we read ${ours.pseudo.join()} ${ours.fields.join()}`;
  const said = theirs.fields.filter((field) => field.startsWith(":"));
  const fields = theirs.fields.filter((field) => !field.startsWith(":"));
  const pseudo = completed(said, fields);
  if (ours.pseudo.join() !== pseudo.join()) return `we read ${ours.pseudo}, nghttp2 ${pseudo}`;
  if (JSON.stringify(ours.fields) !== JSON.stringify(fields)) {
    return `we read ${JSON.stringify(ours.fields)}, nghttp2 ${JSON.stringify(fields)}`;
  }
  if (ours.isGone || !ours.isWhole) return undefined;
  if (!theirs.isWhole) return "only for us it is whole";
  if (ours.body !== theirs.body) return `we read the body ${ours.body}, nghttp2 ${theirs.body}`;
  if (JSON.stringify(ours.trailers) !== JSON.stringify(theirs.trailers)) {
    return `we read the trailers ${ours.trailers.join()}, nghttp2 ${theirs.trailers.join()}`;
  }
  return undefined;
}

function explain(reason: string): void {
  explained.set(reason, (explained.get(reason) ?? 0) + 1);
}

function isOf(frame: Buffer, type: number): boolean {
  return frame.length >= FRAME_HEADER && frame[3] === type;
}

/** ENABLE_CONNECT_PROTOCOL, NO_RFC7540_PRIORITIES. */
function setsForeign(frame: Buffer): boolean {
  for (let at = FRAME_HEADER; at + SETTING_SIZE <= frame.length; at += SETTING_SIZE) {
    const id = frame.readUInt16BE(at);
    if (id === 8 || id === 9) return true;
  }
  return false;
}

function frameInWords(frame: Buffer): string {
  if (frame.length < FRAME_HEADER) return "cut off";
  const type = Object.keys(FRAME)[frame[3] ?? 0] ?? "unknown";
  return `${type} ${frame.readUInt32BE(5)} flags ${(frame[4] ?? 0).toString(16)}`;
}

/** As we tell them: all four, the authority from `host` where there is no other. */
function completed(said: readonly string[], fields: readonly string[]): readonly string[] {
  const saidOf = (name: string): string | undefined =>
    [...said, ...fields].find((one) => one.startsWith(`${name}: `))?.slice(name.length + 2);
  const authority = saidOf("host") ?? saidOf(":authority") ?? "";
  const others = [":method", ":path", ":scheme"].map((name) => `${name}: ${saidOf(name) ?? ""}`);
  return [`:authority: ${authority}`, ...others];
}

function tellFault(bytes: Buffer, difference: string): void {
  const frames = framesIn(bytes).map((frame, place) =>
    place === 0 ? frame.subarray(PREFACE.length) : frame,
  );
  const explanation = EXPLAINED.find(({ applies }) => applies(frames));
  if (explanation !== undefined) {
    explain(explanation.reason);
    return;
  }
  counts.faults += 1;
  if (counts.faults > MAX_PRINTED) return;
  console.log(difference);
  console.log(`  ${frames.map(frameInWords).join(", ")}`);
  console.log(`  ${bytes.toString("hex")}`);
}

function printCounts(): void {
  const { connections, requests, whole, stricter, faults } = counts;
  console.log(
    `${connections} connections: ${requests} requests read, ${whole} connections without fault`,
  );
  console.log(`where we refuse something, nghttp2 takes more in ${stricter}; why we refuse:`);
  const byCount = [...refusals].sort(([, a], [, b]) => b - a);
  for (const [reason, count] of byCount.slice(0, MAX_REASONS)) {
    console.log(`${String(count).padStart(8)}  ${reason}`);
  }
  for (const [reason, count] of explained) console.log(`${count} explained: ${reason}`);
  console.log(`${faults} that only we accept, or that nghttp2 reads differently`);
}
