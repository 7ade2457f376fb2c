/** The tokens that cases name, and where the keys that signed them are served. */
import { join } from "node:path";
import { readJson } from "../networkpolicy.ts";

interface FixtureToken {
  readonly token: string;
  readonly payloadB64: string;
}

export interface TokenFixtures {
  readonly tokens: Readonly<Record<string, FixtureToken>>;
  /** Where the keys that signed them are served. */
  readonly jwksURI: string;
}

export function tokenFixtures(folder: string): TokenFixtures {
  const { tokens } = readJson<Pick<TokenFixtures, "tokens">>(join(folder, "fixtures/tokens.json"));
  const { jwksURI } = readJson<{ jwksURI: string }>(join(folder, "fixtures/topology.json"));
  return { tokens, jwksURI };
}

/** `${Name}` and `${payload:Name}` in a text. */
export function withTokens(text: string, { tokens }: TokenFixtures): string {
  return text.replace(/\$\{(payload:)?(\w+)\}/g, (written, payload, name: string) => {
    const fixture = tokens[name];
    if (fixture === undefined) throw new Error(`${written} names no fixture`);
    return payload === undefined ? fixture.token : fixture.payloadB64;
  });
}
