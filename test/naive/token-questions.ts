/** Questions about a verified token (JWT-60..JWT-68). Without one none of them is true. */
import { ofRequest, type Question } from "./asked.ts";
import { matchesText } from "./text-pattern.ts";

/** JWT-60, JWT-61 */
export const askRequestPrincipal: Question = ofRequest((value, { token }) => {
  const issuer = token === undefined ? undefined : memberOf(token, "iss");
  const subject = token === undefined ? undefined : memberOf(token, "sub");
  if (typeof issuer !== "string" || typeof subject !== "string") return false;
  const wanted = requestPrincipal(value);
  return wanted.issuer(issuer) && wanted.subject(subject);
});

/** JWT-62, JWT-66 */
export function askClaim(path: readonly string[]): Question {
  return ofRequest((value, { token }) => {
    const claim = path.reduce<unknown>(memberOf, token);
    const texts = Array.isArray(claim) ? claim : [claim];
    // Numbers, booleans, null and objects are no texts, and "*" is not for them either.
    return texts.some((text) => typeof text === "string" && matchesText(value, text));
  });
}

interface WantedPrincipal {
  readonly issuer: (text: string) => boolean;
  readonly subject: (text: string) => boolean;
}

const notEmpty = (text: string): boolean => text !== "";
const exactly = (wanted: string) => (text: string) => text === wanted;
const startingWith = (wanted: string) => (text: string) => text.startsWith(wanted);
const endingWith = (wanted: string) => (text: string) => text.endsWith(wanted);

/** The forms of JWT-60, in its order: a star at the beginning is about the issuer, one at the end about the subject. */
function requestPrincipal(value: string): WantedPrincipal {
  const slash = value.lastIndexOf("/");
  const issuer = slash < 0 ? value : value.slice(0, slash);
  const subject = slash < 0 ? "" : value.slice(slash + 1);
  if (value === "*") return { issuer: notEmpty, subject: notEmpty };
  if (value.startsWith("*")) {
    if (slash < 0) return { issuer: notEmpty, subject: endingWith(value.slice(1)) };
    const wanted = issuer === "*" ? notEmpty : endingWith(issuer.slice(1));
    return { issuer: wanted, subject: exactly(subject) };
  }
  if (value.endsWith("*")) {
    if (slash < 0) return { issuer: startingWith(value.slice(0, -1)), subject: notEmpty };
    const wanted = subject === "*" ? notEmpty : startingWith(subject.slice(0, -1));
    return { issuer: exactly(issuer), subject: wanted };
  }
  return { issuer: exactly(issuer), subject: exactly(subject) };
}

/** What an object of the token has under a name; lists have no names. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const member = Object.entries(value).find(([key]) => key === name);
  return member?.[1];
}
