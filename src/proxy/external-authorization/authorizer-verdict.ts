/** What an authorizer said, whichever protocol it said it in. */
import type { Answer } from "../exchange.ts";
import type { FieldChange } from "./field-changes.ts";

export type AuthorizerVerdict = Allowed | Denied | Failed;

export interface Allowed {
  readonly outcome: "allowed";
  readonly changes: RequestChanges;
  /** As JSON. */
  readonly metadata?: string | undefined;
}

export interface Denied {
  readonly outcome: "denied";
  /** What the caller is told (EA-27). */
  readonly answer: Pick<Answer, "status" | "body" | "headers">;
  readonly metadata?: string | undefined;
}

/** EA-26 */
export interface Failed {
  readonly outcome: "failed";
  readonly problem: string;
  /** "here": it was not asked as it should have been, which a client may have brought about; that lets nobody pass. */
  readonly fault?: "here";
}

/** EA-13, EA-15, EA-28: each in its order. */
export interface RequestChanges {
  readonly fields: readonly FieldChange[];
  /** Names of fields, after `fields`. */
  readonly remove: readonly string[];
  readonly setQuery: readonly (readonly [name: string, value: string])[];
  readonly removeQuery: readonly string[];
  /** Of the answer that the application gives. */
  readonly answerFields: readonly FieldChange[];
}

export const NO_CHANGES: RequestChanges = {
  fields: [],
  remove: [],
  setQuery: [],
  removeQuery: [],
  answerFields: [],
};

export function failed(problem: string): Failed {
  return { outcome: "failed", problem };
}

export function failedHere(problem: string): Failed {
  return { outcome: "failed", problem, fault: "here" };
}
