/** Rows of attempts that must all fail: the intruder's program makes them, and what it got is judged here. */
import type { Actor } from "./actor.ts";
import { readAttackAims } from "./attack-aims.ts";
import { type Attempt, judgeAttempt } from "./attack-attempt.ts";
import { ATTACKS, type AttackCategory } from "./attack-attempts.ts";
import type { Outcome } from "./order-client.ts";
import type { Finding, Row } from "./row.ts";

/** More would hold each other up until they seem to have failed. */
const AT_ONCE = 4;

export interface AttemptMade {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
}

/** One for each category. */
export function attackRows(intruder: Actor): readonly Row[] {
  return ATTACKS.map((category) => attackRow(intruder, category));
}

function attackRow(intruder: Actor, { target, object, attempts }: AttackCategory): Row {
  return {
    caller: intruder.owner,
    callee: target,
    request: `attempts at ${object}`,
    expected: "nothing reached",
    network: "namespaces",
    async play(stage) {
      const aims = await readAttackAims(stage.data, { manifests: stage.folder });
      const made = await makeAttempts(attempts(aims), async (attempt) => {
        const { technique, aim } = attempt;
        return stage.order(intruder, { call: "attempt", technique, aim });
      });
      return attackFinding(made);
    },
  };
}

/** A few at a time, in order. */
export async function makeAttempts(
  attempts: readonly Attempt[],
  make: (attempt: Attempt) => Promise<Outcome>,
): Promise<readonly AttemptMade[]> {
  const made: AttemptMade[] = [];
  const left = attempts.entries();
  const makeNext = async (): Promise<void> => {
    for (const [index, attempt] of left) made[index] = { attempt, outcome: await make(attempt) };
  };
  await Promise.all(Array.from({ length: AT_ONCE }, makeNext));
  return made;
}

/** Pure. */
export function attackFinding(made: readonly AttemptMade[]): Finding {
  const judged = made.map((one) => ({ ...one, result: judgeAttempt(one.attempt, one.outcome) }));
  const count = (wanted: string): number => judged.filter(({ result }) => result === wanted).length;
  const [reached, stopped, untried] = [count("reached"), count("stopped"), count("not-tried")];
  const notTried = untried === 0 ? "" : `, ${untried} not tried`;
  return {
    verdict: `${reached === 0 ? "none" : reached} of ${made.length}`,
    because: `${reached === 0 ? "nothing" : "something"} reached (${stopped} of ${made.length} failed${notTried})`,
    identities: "",
    surprises: [
      ...judged.flatMap(({ result, attempt, outcome }) => {
        if (result === "reached") return [`${attempt.what}: reached, and got ${outcome.got}`];
        return result === "broken" ? [`${attempt.what}: not made, ${outcome.error}`] : [];
      }),
      ...(stopped + reached === 0 ? ["none of the attempts could be made"] : []),
    ],
  };
}
