/** One way through a proxy, attacked by a corpus: one attack after the other, so that all that arrives is one attack's. */
import { attackLane, type Lane } from "./attack-exchange.ts";
import type { JudgedAttack } from "./attack-report.ts";
import { judgeAttack } from "./judge-attack.ts";
import type { SmugglingCase } from "./smuggling-case.ts";

/** Closes the lane. */
export async function runCorpus(
  lane: Lane,
  corpus: readonly SmugglingCase[],
): Promise<readonly JudgedAttack[]> {
  const judged: JudgedAttack[] = [];
  try {
    for (const attack of corpus) {
      const exchange = await attackLane(lane, attack);
      judged.push({ exchange, judgement: judgeAttack(exchange, lane) });
    }
  } finally {
    await lane.close();
  }
  return judged;
}
