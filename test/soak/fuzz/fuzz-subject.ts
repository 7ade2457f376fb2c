/** What is fuzzed: how it is made, and how three readers read it. */
import type { Dice } from "../../kit/dice.ts";

export interface Mutant {
  readonly der: Buffer;
}

/** What a reader got out of it, in one text that readers can be compared by; or why it refuses. */
export type Reading = { readonly accepted: string } | { readonly refused: string };

export interface FuzzSubject {
  readonly name: string;
  mutant(dice: Dice): Mutant;
  readOurs(mutant: Mutant): Reading;
  /** By `@peculiar/asn1-*`. */
  readTyped(mutant: Mutant): Reading;
  /** By the `openssl` program. */
  readOpenssl(mutant: Mutant): Promise<Reading>;
}

/** A reader that throws refuses. */
export function reading(read: () => string, describe: (error: unknown) => string): Reading {
  try {
    return { accepted: read() };
  } catch (error) {
    return { refused: describe(error) };
  }
}
