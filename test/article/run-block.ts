/** Does what a block says, asks what it asks, and tells what was not as it must be. */
import { setTimeout as delay } from "node:timers/promises";
import type { ArticleBlock, Call, Deed, Mutation, Question } from "./article-block.ts";
import type { ArticleMesh, Said } from "./article-mesh.ts";

const STEP_MS = 200;

/** Something of a block is not as it must be; the message says what. */
export class BlockFailure extends Error {}

export interface BlockRun {
  /** How long something may take to become true, in milliseconds. */
  readonly patienceMs: number;
  /** What is broken on purpose; absent: nothing. */
  readonly mutation?: Mutation;
  /** Told of each command that is not run. */
  readonly marked?: (command: string, reason: string) => void;
}

/** @throws BlockFailure; Error when what the block needs cannot be prepared */
export async function runBlock(
  block: ArticleBlock,
  mesh: ArticleMesh,
  { patienceMs, mutation, marked = () => {} }: BlockRun,
): Promise<void> {
  const { deeds = [], questions = [], calls = [] } = block;
  try {
    await block.prepare?.(mesh);
    for (const run of block.given ?? []) await prepared(run, mesh);
    for (const [index, deed] of deeds.entries()) {
      if (mutation?.before === index) await prepared(mutation.run, mesh);
      await carryOut(deed, mesh);
    }
    if (mutation !== undefined && mutation.before === undefined) await prepared(mutation.run, mesh);
    const deadline = performance.now() + patienceMs;
    const all = typeof calls === "function" ? await calls(mesh) : calls;
    for (const one of all) await untilTrue(deadline, () => callProblem(one, mesh));
    for (const one of questions) {
      if (one.marked !== undefined) marked(one.ask, one.marked);
      else await untilTrue(deadline, async () => answerProblem(one, await mesh.run(one.ask)));
    }
  } finally {
    for (const run of block.afterwards ?? []) await mesh.run(run);
  }
}

/** What does not belong to the block: its failure says nothing of the block. */
async function prepared(run: string, mesh: ArticleMesh): Promise<void> {
  const said = await mesh.run(run);
  if (said.code !== 0) throw new Error(`could not be prepared: $ ${run}\n${printed(said)}`);
}

async function carryOut({ run, fails }: Deed, mesh: ArticleMesh): Promise<void> {
  const said = await mesh.run(run);
  const isRight =
    fails === undefined
      ? said.code === 0
      : said.code !== 0 && fails.test(said.output + said.errors);
  if (!isRight) throw new BlockFailure(`$ ${run}\n${printed(said)}`);
}

/** Asked at least once; what was never true until then is a failure. */
async function untilTrue(
  deadline: number,
  problem: () => Promise<string | undefined>,
): Promise<void> {
  for (;;) {
    const found = await problem();
    if (found === undefined) return;
    if (performance.now() > deadline) throw new BlockFailure(found);
    await delay(STEP_MS);
  }
}

async function callProblem(call: Call, mesh: ArticleMesh): Promise<string | undefined> {
  const { outcome, body } = await mesh.call(call);
  const { from, to, method = "GET", gives } = call;
  const sent = `${from}: ${method} ${to}${call.headers === undefined ? "" : " with headers"}`;
  if (outcome !== gives) return `${sent}: expected ${gives}, got ${outcome} ${body}`;
  if (call.body?.test(body) === false) return `${sent}: expected ${call.body} in ${body}`;
  return undefined;
}

function answerProblem(
  { ask, answer, never, code: codes = [0] }: Question,
  said: Said,
): string | undefined {
  const isRight =
    codes.includes(said.code) &&
    (answer?.test(said.output) ?? true) &&
    !(never?.test(said.output) ?? false);
  if (isRight) return undefined;
  const wanted = [
    `exit code ${codes.join(" or ")}`,
    answer && `${answer}`,
    never && `not ${never}`,
  ];
  return `$ ${ask}\n${printed(said)}\nexpected ${wanted.filter(Boolean).join(", ")}`;
}

function printed({ code, output, errors }: Said): string {
  return `${output}${errors}(exit code ${code})`;
}
