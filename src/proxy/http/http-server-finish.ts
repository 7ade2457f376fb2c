/**
 * Tells sinks that their exchange is over, at the end of the turn: by then whoever gave the answer's last octet has
 * returned, and need not reckon with being called in the midst of it.
 */
import { atEndOfTurn } from "./end-of-turn.ts";
import type { RequestSink } from "./streams.ts";

let waiting: RequestSink[] = [];
let spare: RequestSink[] = [];

const TURN = {
  endOfTurn(): void {
    const due = waiting;
    waiting = spare;
    spare = due;
    let told = 0;
    try {
      while (told < due.length) due[told++]?.finished();
    } finally {
      // One that throws must not leave the others unfinished.
      for (; told < due.length; told++) again(due[told]);
      due.length = 0;
    }
  },
};

/** To be called once for each sink. */
export function finishAtEndOfTurn(sink: RequestSink): void {
  if (waiting.length === 0) atEndOfTurn(TURN);
  waiting.push(sink);
}

function again(sink: RequestSink | undefined): void {
  if (sink !== undefined) finishAtEndOfTurn(sink);
}
