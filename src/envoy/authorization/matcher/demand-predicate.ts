/** What a rule demands, as a statement in Envoy's matching, on chains of one kind. */
import { parseStringMatch } from "../../../api/string-match.ts";
import { claimDemand, type MetadataDemand, requestPrincipalDemands } from "../claim-matchers.ts";
import { type PortOf, range } from "../linear/permissions.ts";
import type { Demand } from "../rule-demands.ts";
import {
  EVERY_TEXT,
  identityMatchers,
  type StringMatcher,
  stringMatcher,
} from "../string-matchers.ts";
import {
  addressMatcher,
  DESTINATION_ADDRESS,
  DESTINATION_PORT,
  dynamicMetadata,
  metadataMatcher,
  PEER_URI,
  REMOTE_ADDRESS,
  SERVER_NAME,
  SOURCE_ADDRESS,
} from "./inputs.ts";
import {
  allOf,
  anyOf,
  expressionWith,
  type Input,
  not,
  type Predicate,
  text,
} from "./predicate.ts";
import { headerPredicate, hostPredicate, pathPredicate } from "./text-predicates.ts";

export interface ChainKind {
  /** Whether callers prove an identity there; asking for it elsewhere would leave all undecided. */
  readonly peer: "mesh" | "nobody";
  readonly portOf: PortOf;
}

export function demandPredicate(demand: Demand, kind: ChainKind): Predicate {
  const met = meets(demand, kind);
  return demand.wants === "one" ? met : not(met);
}

function meets(demand: Demand, { peer, portOf }: ChainKind): Predicate {
  const { subject, values, meeting } = demand;
  const { about } = subject;
  const identity = identityMatchers(demand);
  if (identity !== undefined) {
    return peer === "mesh" && anyOf(identity.map((matcher, at) => ofPeer(matcher, demand, at)));
  }
  switch (about) {
    case "source address":
      return inRanges(SOURCE_ADDRESS, values);
    case "remote address":
      return inRanges(REMOTE_ADDRESS, values);
    case "destination address":
      return inRanges(DESTINATION_ADDRESS, values);
    case "port":
      return anyOf(values.map((value) => onPort(portOf(Number(value)))));
    case "server name":
      return anyOf(values.map((value) => text(SERVER_NAME, stringMatcher(value))));
    case "host":
      return anyOf(values.map(hostPredicate));
    case "method":
      return anyOf(values.map((value) => headerPredicate(":method", value, meeting)));
    case "path":
      return anyOf(values.map((value) => pathPredicate(value, meeting)));
    case "header":
      return anyOf(values.map((value) => headerPredicate(subject.name, value, meeting)));
    case "claim":
      return inMetadata(claimDemand(subject.names, values, EVERY_TEXT));
    case "request principal":
      return anyOf(
        values.map((value) => allOf(requestPrincipalDemands(value, EVERY_TEXT).map(inMetadata))),
      );
    case "filter metadata":
      // No filter of ours leaves any (AP-95).
      return false;
    default:
      throw new RangeError(`nothing is known about the ${about}`);
  }
}

/** @param at of the value that it stands for */
function ofPeer(matcher: StringMatcher, { subject, values }: Demand, at: number): Predicate {
  const match = parseStringMatch(values[at] ?? "");
  return subject.about === "principal" && match.kind === "suffix" && match.text !== ""
    ? expressionWith({ suffix: match.text }, { input: PEER_URI, expression: matcher })
    : text(PEER_URI, matcher);
}

function inRanges(input: Input, values: readonly string[]): Predicate {
  return { input, custom: addressMatcher(values.map(range)) };
}

function onPort(port: number | undefined): Predicate {
  return port !== undefined && text(DESTINATION_PORT, { exact: String(port) });
}

function inMetadata({ filter, path, value }: MetadataDemand): Predicate {
  return { input: dynamicMetadata(filter, path), custom: metadataMatcher(value) };
}
