/** Whom a JWT-SVID may be asked for: bounded, so that whoever asks cannot make tokens large. */

const MAX_AUDIENCES = 16;
const MAX_AUDIENCE_CHARACTERS = 512;

/** @returns what is wrong with it, in words; undefined when nothing is */
export function audienceProblem(audience: readonly string[]): string | undefined {
  if (audience.length === 0) return "the audience must be given";
  if (audience.length > MAX_AUDIENCES) return `at most ${MAX_AUDIENCES} audiences may be given`;
  if (audience.includes("")) return "an audience must not be empty";
  if (audience.some((one) => one.length > MAX_AUDIENCE_CHARACTERS))
    return `an audience has at most ${MAX_AUDIENCE_CHARACTERS} characters`;
  return undefined;
}
