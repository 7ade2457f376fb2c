/** Changes a request as an authorizer says that let it pass (EA-13, EA-15, EA-28). */
import { TARGET } from "../../http/byte-classes.ts";
import { checkText } from "../../http/http1/write-bytes.ts";
import type { Exchange } from "../exchange.ts";
import { leaveOutSpelt } from "../http/disguised-fields.ts";
import type { HeldFields } from "../http/held-fields.ts";
import type { RequestChanges } from "./authorizer-verdict.ts";
import { applyChanges, type FieldChange } from "./field-changes.ts";

type Changed = Pick<Exchange, "headers" | "path" | "reservedNames" | "changeAnswer">;

/** @throws RangeError where the request could not go on with them: it must not go on at all then */
export function applyToRequest(exchange: Changed, changes: RequestChanges): void {
  reserveNames(exchange, changes);
  applyChanges(exchange.headers, changes.fields);
  for (const name of changes.remove) exchange.headers.remove(name);
  if (changes.setQuery.length + changes.removeQuery.length > 0)
    exchange.path = withQuery(exchange.path, changes);
  if (changes.answerFields.length > 0) changeAnswer(exchange, changes.answerFields);
}

/** What it says in a header, a client does not say again in another spelling, or behind the body (QK-74). */
function reserveNames(exchange: Changed, { fields, remove }: RequestChanges): void {
  const names = [...fields.map(({ name }) => name), ...remove];
  if (names.length === 0) return;
  leaveOutSpelt(exchange.headers, names);
  exchange.reservedNames = [...exchange.reservedNames, ...names];
}

/** Several authorizers may each have something to say. */
function changeAnswer(exchange: Changed, changes: readonly FieldChange[]): void {
  const before = exchange.changeAnswer;
  exchange.changeAnswer = (fields) => {
    before?.(fields);
    applyToAnswer(fields, changes);
  };
}

/** What there is no room for is left out: the application's answer goes on. */
function applyToAnswer(fields: HeldFields, changes: readonly FieldChange[]): void {
  try {
    applyChanges(fields, changes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}

/** Parameters that stay are written as they came. */
function withQuery(path: string, { setQuery, removeQuery }: RequestChanges): string {
  const start = path.indexOf("?");
  const [target, query] = start < 0 ? [path, ""] : [path.slice(0, start), path.slice(start + 1)];
  const changed = new Set([...removeQuery, ...setQuery.map(([name]) => name)]);
  const kept = query.split("&").filter((pair) => pair !== "" && !changed.has(nameOf(pair)));
  const removed = new Set(removeQuery);
  const latest = [...new Map(setQuery)].filter(([name]) => !removed.has(name));
  const set = latest.map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  const parameters = [...kept, ...set].join("&");
  const changedPath = parameters === "" ? target : `${target}?${parameters}`;
  checkText(changedPath, TARGET);
  return changedPath;
}

function nameOf(pair: string): string {
  const [name = ""] = pair.split("=", 1);
  try {
    return decodeURIComponent(name.replaceAll("+", " "));
  } catch {
    return name;
  }
}

/** @throws RangeError for half a character */
function encoded(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw new RangeError("a query parameter that is no text");
  }
}
