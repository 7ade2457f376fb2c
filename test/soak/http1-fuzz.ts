/**
 * Changed requests and responses, read by our codec and by `llhttp`. What we take for a message, `llhttp` must take for the
 * same: method, target, fields, body, trailers, and where the next message begins. That we refuse more is what we are for.
 */
import { METHODS } from "node:http";
import { ANSWERS } from "../../src/http/http1/response-head.ts";
import { Dice } from "../kit/dice.ts";
import {
  type Asked,
  type NodeMessage,
  readRequestsByNode,
  readResponsesByNode,
} from "../kit/node-http1.ts";
import {
  type PlainMessage,
  type PlainReading,
  readRequests,
  readResponses,
} from "../kit/read-http1.ts";
import type { Fuzzer } from "./fuzz/fuzzer.ts";
import { REQUESTS, RESPONSES } from "./fuzz/http1-corpus.ts";
import { mutantOf } from "./fuzz/http1-mutants.ts";

/** At a time: `llhttp` is asked through streams, which take turns of the event loop. */
const BATCH = 64;
const MAX_PRINTED = 10;
const MAX_REASONS = 20;
/** Behind every mutant: a message that is swallowed, or hidden in another, shows. */
const MARKER = "GET /marker HTTP/1.1\r\nHost: marker\r\n\r\n";
const ASKED: readonly Asked[] = ["plain", "plain", "plain", "head", "connect", "upgrade"];

/** The message in front of it, as each read it. */
interface Before {
  readonly ours: PlainMessage | undefined;
  readonly theirs: NodeMessage | undefined;
  /** All that was sent. */
  readonly text: string;
}

/** What we take on purpose and `llhttp` does not. */
const EXPLAINED: readonly {
  readonly reason: string;
  readonly applies: (message: PlainMessage, before: Before) => boolean;
}[] = [
  {
    reason:
      "a method that llhttp does not know: any upper-case word is carried (RFC 9110 section 9.1)",
    applies: ({ line }) =>
      /^[A-Z0-9_-]+ /.test(line) && !METHODS.includes(line.split(" ")[0] ?? ""),
  },
  {
    reason:
      "a request behind one of HTTP/1.0 that asks for another protocol: that is ignored and not sent on (RFC 9110 section 7.8); llhttp reads no further",
    applies: (_message, { ours, theirs }) =>
      ours?.line.endsWith(" 1.0") === true && theirs?.switches === true,
  },
  {
    reason:
      "a request behind one of HTTP/1.0 whose `Connection: keep-alive` ends with a tab: white space around a value is none of it (RFC 9110 section 5.5); llhttp does not know the option then, and reads no further",
    applies: (_message, { ours, text }) =>
      ours?.line.endsWith(" 1.0") === true && /\r\nconnection:[^\r]*\t\r\n/i.test(text),
  },
];

const counts = { mutants: 0, messages: 0, whole: 0, stricter: 0, faults: 0 };
const refusals = new Map<string, number>();
const explained = new Map<string, number>();

export const http1Fuzzer: Fuzzer = {
  name: "http1",
  async run({ end, seed }) {
    const dice = new Dice(seed);
    while (Date.now() < end) {
      await compareRequests(dice);
      await compareResponses(dice);
    }
    printCounts();
    return counts.faults === 0 && counts.whole > 0 ? "well" : "at fault";
  },
};

async function compareRequests(dice: Dice): Promise<void> {
  const all = dice.several(BATCH, BATCH, () =>
    Buffer.from(mutantOf(REQUESTS, dice) + MARKER, "latin1"),
  );
  const theirs = await readRequestsByNode(all);
  for (const [index, bytes] of all.entries()) {
    const ours = readCutAnywhere(bytes, dice, readRequests);
    judge(bytes, { ours, theirs: theirs[index] ?? [] });
  }
}

async function compareResponses(dice: Dice): Promise<void> {
  const all = dice.several(BATCH, BATCH, () => ({
    bytes: Buffer.from(mutantOf(RESPONSES, dice), "latin1"),
    asked: dice.pick(ASKED),
  }));
  const theirs = await readResponsesByNode(all);
  for (const [index, { bytes, asked }] of all.entries()) {
    const read: typeof readRequests = (text, options) =>
      readResponses(text, ANSWERS[asked], options);
    const ours = upToAnswer(readCutAnywhere(bytes, dice, read));
    judge(bytes, { ours, theirs: theirs[index] ?? [] });
  }
}

/** Whole, and cut at a few places: both must say the same. */
function readCutAnywhere(bytes: Buffer, dice: Dice, read: typeof readRequests): PlainReading {
  const whole = read(bytes);
  const cuts = dice.several(1, 8, () => dice.between(0, bytes.length)).sort((a, b) => a - b);
  const pieces = read(bytes, { cuts });
  if (JSON.stringify(whole) !== JSON.stringify(pieces)) {
    tellFault(
      bytes,
      `cut at ${cuts.join()}: ${JSON.stringify(pieces)}; whole: ${JSON.stringify(whole)}`,
    );
  }
  return whole;
}

/** A client that asked once reads one answer; what comes behind it is its connection's problem. */
function upToAnswer({ messages, outcome }: PlainReading): PlainReading {
  const answer = messages.findIndex(({ line }) => !line.startsWith("1") || line.startsWith("101"));
  if (answer < 0) return { messages, outcome };
  return { messages: messages.slice(0, answer + 1), outcome: "last" };
}

interface Readings {
  readonly ours: PlainReading;
  readonly theirs: readonly NodeMessage[];
}

function judge(bytes: Buffer, { ours, theirs }: Readings): void {
  counts.mutants += 1;
  for (const [index, message] of ours.messages.entries()) {
    counts.messages += 1;
    const other = theirs[index];
    const difference = differenceOf(message, other);
    if (difference === undefined) continue;
    const explanation = EXPLAINED.find(({ applies }) =>
      applies(message, {
        ours: ours.messages[index - 1],
        theirs: theirs[index - 1],
        text: bytes.toString("latin1"),
      }),
    );
    if (explanation === undefined) tellFault(bytes, difference);
    else explained.set(explanation.reason, (explained.get(explanation.reason) ?? 0) + 1);
    return;
  }
  // What switches is not read to an end there: any answer to a CONNECT, for one.
  const whole = theirs.filter(({ isComplete, switches }) => isComplete && !switches).length;
  if (ours.outcome.startsWith("http1.")) {
    refusals.set(ours.outcome, (refusals.get(ours.outcome) ?? 0) + 1);
    if (whole > ours.messages.length) counts.stricter += 1;
    return;
  }
  counts.whole += 1;
  // Behind "last" and "switched" we read nothing, whatever may stand there.
  const mayMiss = ours.outcome === "last" || ours.outcome === "switched";
  if (!mayMiss && whole > ours.messages.length) {
    tellFault(bytes, `we read ${ours.messages.length} messages (${ours.outcome}), llhttp ${whole}`);
  }
}

function differenceOf(ours: PlainMessage, theirs: NodeMessage | undefined): string | undefined {
  if (theirs === undefined) return `only we read ${ours.line}`;
  if (ours.line !== theirs.line) return `we read ${ours.line}, llhttp ${theirs.line}`;
  if (JSON.stringify(ours.fields) !== JSON.stringify(theirs.fields)) {
    return `we read ${JSON.stringify(ours.fields)}, llhttp ${JSON.stringify(theirs.fields)}`;
  }
  if (theirs.switches) return undefined;
  if (!theirs.isComplete) return `only for us ${ours.line} is complete`;
  if (ours.body !== theirs.body) {
    return `we read the body ${JSON.stringify(ours.body)}, llhttp ${JSON.stringify(theirs.body)}`;
  }
  if (JSON.stringify(ours.trailers) !== JSON.stringify(theirs.trailers)) {
    return `we read the trailers ${ours.trailers.join()}, llhttp ${theirs.trailers.join()}`;
  }
  return undefined;
}

function tellFault(bytes: Buffer, difference: string): void {
  counts.faults += 1;
  if (counts.faults > MAX_PRINTED) return;
  console.log(difference);
  console.log(`  ${JSON.stringify(bytes.toString("latin1"))}`);
}

function printCounts(): void {
  const { mutants, messages, whole, stricter, faults } = counts;
  const refused = [...refusals.values()].reduce((sum, count) => sum + count, 0);
  console.log(
    `${mutants} connections: ${messages} messages read, ${whole} connections to their end, ${refused} refused at some place`,
  );
  console.log(`of those refused, llhttp reads ${stricter} further; why we do not:`);
  const byCount = [...refusals].sort(([, a], [, b]) => b - a);
  for (const [code, count] of byCount.slice(0, MAX_REASONS)) {
    console.log(`${String(count).padStart(8)}  ${code}`);
  }
  for (const [reason, count] of explained) console.log(`${count} explained: ${reason}`);
  console.log(`${faults} that only we accept, or that llhttp reads differently`);
}
