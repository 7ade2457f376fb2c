/** Tokens that the load shows: one again and again, or so many that whoever sees one has forgotten it since. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { tokenIssuer } from "../../kit/token-issuer.ts";

export const ISSUER = "https://issuer.example";
/** More than a sidecar remembers; shown in turn, so that the oldest is always forgotten. */
const MANY = 9_000;

export interface BenchTokens {
  /** Public keys. */
  readonly jwks: string;
  /** Files with a token on each line. */
  readonly one: string;
  readonly many: string;
}

export async function makeTokens(folder: string): Promise<BenchTokens> {
  const { jwks, sign } = tokenIssuer(ISSUER);
  const now = Math.floor(Date.now() / 1000);
  const tokens = await Promise.all(
    Array.from({ length: MANY }, (_, index) =>
      sign({
        sub: `user-${index}`,
        aud: "api",
        iat: now,
        exp: now + 86_400,
        groups: ["admin", "dev"],
      }),
    ),
  );
  const file = (name: string, lines: readonly string[]): string => {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  };
  return { jwks, one: file("one-token", tokens.slice(0, 1)), many: file("many-tokens", tokens) };
}
