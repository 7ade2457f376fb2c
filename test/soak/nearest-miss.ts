/**
 * Allowed requests with one fact changed, so that they are refused: the reason must name that fact first. COUNT of each
 * attribute and SEED can be given; 40 and 1 if not. Exit 1 if fewer than 99 % are named, or an attribute lacks cases.
 *
 *     node --import tsx test/soak/nearest-miss.ts 40 1
 */
import { stringify } from "yaml";
import { Dice } from "../kit/dice.ts";
import { printPolicy } from "../kit/policy-yaml.ts";
import { countNearestMisses, type Unnamed } from "../naive/nearest-miss.ts";

const LEAST_OF_EACH = 30;
const LEAST_IN_ALL = 1_000;
const LEAST_SHARE = 0.99;
const MAX_PRINTED = 5;

const ofEach = Number(process.argv[2] ?? 40);
const seed = Number(process.argv[3] ?? 1);
if (!(ofEach > 0) || !Number.isInteger(seed)) throw new Error("expected: [COUNT] [SEED]");

let printed = 0;
const counts = countNearestMisses(new Dice(seed), { ofEach, onUnnamed });
for (const { name, asked, named } of counts) {
  console.log(`${name.padEnd(52)}${`${named}`.padStart(6)} of ${asked}`);
}
const asked = counts.reduce((sum, count) => sum + count.asked, 0);
const named = counts.reduce((sum, count) => sum + count.named, 0);
console.log(`${named} of ${asked} named first (${((100 * named) / asked).toFixed(2)} %)`);
const isEnough = asked >= LEAST_IN_ALL && counts.every((count) => count.asked >= LEAST_OF_EACH);
process.exitCode = isEnough && named / asked >= LEAST_SHARE ? 0 : 1;

function onUnnamed({ miss, told }: Unnamed): void {
  printed += 1;
  if (printed > MAX_PRINTED) return;
  const { field, rule, allowed, refused, policy } = miss;
  console.log(`${printPolicy(policy)}---\n${stringify({ rule, field, told, allowed, refused })}`);
}
