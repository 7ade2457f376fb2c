/** Makes a disagreement as small as it can be: each round asks about everything that is a little smaller. */
import { smallerLists, smallerPolicies } from "../naive/shrink.ts";
import { compareBatch, type Lanes } from "./compare.ts";
import { type Answered, agreementOf } from "./disagreement.ts";
import { explanationOf } from "./explanations.ts";
import type { Call, PolicySet } from "./question.ts";

const MAX_ROUNDS = 40;
/** What is not small by then is printed as it is. */
const MOST_MS = 60_000;
/** Listeners of one Envoy. */
const MAX_CANDIDATES = 60;

export async function minimise(found: Answered, lanes: Lanes): Promise<Answered> {
  let smallest = found;
  const end = performance.now() + MOST_MS;
  for (let round = 0; round < MAX_ROUNDS && performance.now() < end; round += 1) {
    const candidates = smallerQuestions(smallest).slice(0, MAX_CANDIDATES);
    if (candidates.length === 0) return smallest;
    const answers = await compareBatch(
      candidates.map(({ set, call }) => ({ set, calls: [call] })),
      lanes,
    );
    const next = answers.find((answer) => isSame(answer, smallest));
    if (next === undefined) return smallest;
    smallest = next;
  }
  return smallest;
}

/** The same verdicts: another disagreement is another story. */
function isSame(answer: Answered, before: Answered): boolean {
  const verdicts = ({ engine, sidecar, envoy }: Answered): string =>
    [engine.verdict, sidecar?.verdict, envoy.verdict].join();
  return (
    agreementOf(answer) === "disagreed" &&
    explanationOf(answer) === undefined &&
    verdicts(answer) === verdicts(before)
  );
}

interface Asked {
  readonly set: PolicySet;
  readonly call: Call;
}

function smallerQuestions({ set, call }: Asked): readonly Asked[] {
  const { policies, trust } = set;
  const smallerSets: readonly PolicySet[] = [
    ...(["custom", "audit", "deny", "allow"] as const).flatMap((list) =>
      smallerLists(policies[list], smallerPolicies).map((smaller) => ({
        ...set,
        policies: { ...policies, [list]: smaller },
      })),
    ),
    ...smallerLists(trust.trustDomainAliases, () => []).map((trustDomainAliases) => ({
      ...set,
      trust: { ...trust, trustDomainAliases },
    })),
    ...(set.tokens === "verified" && call.request?.token === undefined
      ? [{ ...set, tokens: "ignored" as const }]
      : []),
    ...(set.pathNormalization === "NONE" ? [] : [{ ...set, pathNormalization: "NONE" as const }]),
    ...smallerLists(set.ports, () => [])
      .filter((ports) => ports.some(({ containerPort }) => containerPort === call.containerPort))
      .map((ports) => ({ ...set, ports })),
  ];
  return [
    ...smallerSets.map((smaller) => ({ set: smaller, call })),
    ...smallerCalls(call).map((smaller) => ({ set, call: smaller })),
  ];
}

function smallerCalls(call: Call): readonly Call[] {
  const { serverName, ...unnamed } = call;
  const smaller: Call[] = serverName === undefined ? [] : [unnamed];
  const { request } = call;
  if (request === undefined) return smaller;
  if (call.protocol === "h2") smaller.push({ ...call, protocol: "http/1.1" });
  const { trailers, ...untrailed } = request;
  if (trailers !== undefined) smaller.push({ ...call, request: untrailed });
  const { beside, ...origin } = request;
  if (beside !== undefined) smaller.push({ ...call, request: origin });
  const { token, ...tokenless } = request;
  if (token !== undefined) {
    smaller.push({ ...call, request: tokenless });
    const claims = Object.entries(token.payload);
    for (const fewer of smallerLists(claims, () => [])) {
      const payload = Object.fromEntries(fewer);
      if (payload["iss"] === undefined) continue;
      smaller.push({ ...call, request: { ...request, token: { ...token, payload } } });
    }
  }
  for (const headers of smallerLists(request.headers, () => []))
    smaller.push({ ...call, request: { ...request, headers } });
  return smaller;
}
