/**
 * Calls once what was asked for during one turn of the event loop: many streams write to one connection, and it writes to
 * its socket once. A microtask would do so after every callback.
 */

export interface EndOfTurn {
  endOfTurn(): void;
}

let waiting: EndOfTurn[] = [];
let spare: EndOfTurn[] = [];
let turns = 0;

/** Another number once everything that was written before has gone out. */
export function turnNumber(): number {
  return turns;
}

/** @param listener must not ask again before it was called */
export function atEndOfTurn(listener: EndOfTurn): void {
  if (waiting.length === 0) setImmediate(run);
  waiting.push(listener);
}

/** One that throws must not leave the others waiting for ever. */
function run(): void {
  const due = waiting;
  waiting = spare;
  spare = due;
  let called = 0;
  try {
    while (called < due.length) due[called++]?.endOfTurn();
  } finally {
    for (; called < due.length; called++) again(due[called]);
    due.length = 0;
    turns++;
  }
}

function again(listener: EndOfTurn | undefined): void {
  if (listener !== undefined) atEndOfTurn(listener);
}
