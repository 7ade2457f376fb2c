/**
 * Changed certificate requests and certificates, most of them signed again: whatever we accept, two readers that we did
 * not write must accept too, and read the same.
 */
import { availableParallelism } from "node:os";
import { Dice } from "../kit/dice.ts";
import { certificateSubject } from "./fuzz/certificates.ts";
import type { FuzzSubject, Mutant } from "./fuzz/fuzz-subject.ts";
import type { Fuzzer, FuzzTask } from "./fuzz/fuzzer.ts";
import { requestSubject } from "./fuzz/requests.ts";

/** OpenSSL is asked of every mutant that we accept, and of one in so many that we refuse. */
const ASK_OF_REFUSED = 200;
const MAX_PRINTED = 10;
const MAX_REASONS = 12;

const subjects: readonly FuzzSubject[] = [requestSubject(), certificateSubject()];
const counts = { mutants: 0, accepted: 0, asked: 0, stricter: 0, disagreements: 0 };
const reasons = new Map<string, number>();

export const certificateFuzzer: Fuzzer = {
  name: "certificates",
  async run({ end, seed }) {
    const workers = Array.from({ length: availableParallelism() }, (_, index) =>
      fuzz({ end, seed: seed + index }),
    );
    await Promise.all(workers);
    printCounts();
    return counts.disagreements === 0 && counts.accepted > 0 ? "well" : "at fault";
  },
};

function printCounts(): void {
  const { mutants, accepted, asked, stricter, disagreements } = counts;
  console.log(
    `${mutants} mutants: ${accepted} accepted, ${mutants - accepted} refused; OpenSSL asked of ${asked}`,
  );
  console.log(`of those refused and asked of, both other readers would accept ${stricter}:`);
  for (const [reason, count] of [...reasons].sort(([, a], [, b]) => b - a).slice(0, MAX_REASONS))
    console.log(`${String(count).padStart(7)}  ${reason}`);
  console.log(`${disagreements} accepted that another reader refuses, or reads differently`);
}

async function fuzz({ end, seed }: FuzzTask): Promise<void> {
  const dice = new Dice(seed);
  while (Date.now() < end) {
    const subject = dice.pick(subjects);
    await judge(subject.mutant(dice), { subject, dice });
  }
}

async function judge(
  mutant: Mutant,
  { subject, dice }: { readonly subject: FuzzSubject; readonly dice: Dice },
): Promise<void> {
  counts.mutants += 1;
  const ours = subject.readOurs(mutant);
  const typed = subject.readTyped(mutant);
  const isAccepted = "accepted" in ours;
  if (isAccepted) counts.accepted += 1;
  else if ("refused" in typed || !dice.chance(1 / ASK_OF_REFUSED)) return;
  counts.asked += 1;
  const theirs = await subject.readOpenssl(mutant);
  if (!("accepted" in ours)) {
    if ("refused" in theirs) return;
    counts.stricter += 1;
    reasons.set(ours.refused, (reasons.get(ours.refused) ?? 0) + 1);
    return;
  }
  for (const other of [typed, theirs]) {
    if ("accepted" in other && other.accepted === ours.accepted) continue;
    counts.disagreements += 1;
    if (counts.disagreements > MAX_PRINTED) continue;
    const told = "accepted" in other ? `reads ${other.accepted}` : `refuses: ${other.refused}`;
    console.log(`${subject.name}: we read ${ours.accepted}; another reader ${told}`);
    console.log(mutant.der.toString("base64"));
  }
}
