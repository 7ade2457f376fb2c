/** Facts as the interpreter is asked about them. */
import { connectionOf, requestOf, type TrafficFacts } from "../kit/traffic-facts.ts";
import type { Traffic } from "./asked.ts";

export function trafficOf(facts: TrafficFacts): Traffic {
  const request = requestOf(facts);
  return { connection: connectionOf(facts), ...(request === undefined ? {} : { request }) };
}
