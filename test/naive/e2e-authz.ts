/**
 * The interpreter alone against Istio's end-to-end authorization cases: passed, failed, and those it can't tell about.
 *
 *     npx tsx test/naive/e2e-authz.ts FOLDER
 *
 * Exit 1 if one fails.
 */
import { type E2eCase, questionsOf } from "./e2e-case.ts";
import { E2eFolder } from "./e2e-folder.ts";
import { interpret } from "./interpret.ts";
import { policiesOf } from "./select-policies.ts";
import { trafficOf } from "./traffic-of-facts.ts";

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error("expected a folder with authz.json");
const folder = new E2eFolder(path);
const trust = { trustDomain: "cluster.local", trustDomainAliases: [] };

let passed = 0;
const failed: string[] = [];
const notApplicable = new Map<string, string[]>();
for (const test of folder.cases()) {
  const outcome = run(test);
  if (outcome === "passed") passed += 1;
  else if (outcome.startsWith("failed")) failed.push(`${test.name}: ${outcome}`);
  else notApplicable.set(outcome, [...(notApplicable.get(outcome) ?? []), test.name]);
}
for (const line of failed) console.log(line);
for (const [reason, names] of notApplicable) {
  console.log(`not applicable: ${names.length}: ${reason}`);
  for (const name of names) console.log(`  ${name}`);
}
const skipped = [...notApplicable.values()].flat().length;
console.log(`${passed} passed, ${failed.length} failed, ${skipped} not applicable`);
process.exitCode = failed.length === 0 && passed > 0 ? 0 : 1;

/** "passed", "failed: …", or why the case is not applicable. */
function run(test: E2eCase): string {
  const { allowed, httpStatus } = test.expected;
  if (allowed === undefined) return "nothing is said about being allowed";
  if (httpStatus === 401) return "the verification of a token decides (JWT-16)";
  const questions = questionsOf(test, folder);
  if ("notApplicable" in questions) return questions.notApplicable;
  const resources = folder.resources(test);
  const decisions = questions.map(({ namespace, labels, facts }) => {
    const policies = policiesOf({ namespace, labels, rootNamespace: "istio-system" }, resources);
    return interpret(policies, trafficOf(facts), { trust });
  });
  const verdicts = decisions.map(({ verdict }) => verdict);
  if (verdicts.includes("delegate")) return "an external authorizer decides (AP-120)";
  if (!verdicts.includes("deny") === allowed) return "passed";
  return `failed: expected ${allowed ? "allow" : "deny"}, got ${JSON.stringify(decisions)}`;
}
