/**
 * Who may look. Any program and any page in a browser can reach a port of this machine: the page is for whoever has seen
 * the address that the command printed, and for no other site.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

export type Admission =
  | { readonly outcome: "admitted" }
  /** The token was right, for the only time: the cookie is to be set. */
  | { readonly outcome: "entered"; readonly cookie: string }
  | { readonly outcome: "refused"; readonly problem: string };

const SECRET_BYTES = 32;
const SAME_SITE = ["same-origin", "none"];

export class Admissions {
  /** Part of the address that is printed; good once. */
  readonly token: string = randomSecret();
  readonly #session: string = randomSecret();
  readonly #port: number;
  #isTokenUsed = false;

  constructor(port: number) {
    this.#port = port;
  }

  judge(headers: IncomingHttpHeaders, token: string | null): Admission {
    const host = headers.host?.toLowerCase();
    const isOurs = host === `127.0.0.1:${this.#port}` || host === `localhost:${this.#port}`;
    if (!isOurs) return refused("this server has another name");
    if (this.#hasSession(headers.cookie))
      return isSameSite(headers, token)
        ? { outcome: "admitted" }
        : refused("another site may not ask");
    if (token === null) return refused("open the address that `hauberk dashboard` printed");
    if (this.#isTokenUsed || !isSame(token, this.token))
      return refused("this address was good once: start `hauberk dashboard` again for another");
    this.#isTokenUsed = true;
    const cookie = `${this.#cookieName}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`;
    return { outcome: "entered", cookie };
  }

  #hasSession(cookies = ""): boolean {
    const prefix = `${this.#cookieName}=`;
    const values = cookies.split("; ").filter((one) => one.startsWith(prefix));
    return values.some((one) => isSame(one.slice(prefix.length), this.#session));
  }

  /** Browsers do not tell ports apart when they send cookies: two dashboards must not take each other's. */
  get #cookieName(): string {
    return `hauberk-dashboard-${this.#port}`;
  }
}

/** Browsers say who made a page ask; other clients say nothing. Opening the printed address may come from anywhere. */
function isSameSite(headers: IncomingHttpHeaders, token: string | null): boolean {
  const site = headers["sec-fetch-site"];
  return token !== null || site === undefined || SAME_SITE.includes(String(site));
}

function refused(problem: string): Admission {
  return { outcome: "refused", problem };
}

function randomSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** Takes as long for what is nearly right. */
function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
