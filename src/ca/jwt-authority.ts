/**
 * Signs JWT-SVIDs. Its key follows the signing authority's: when that one changes, a new key is told to all verifiers at
 * once, signs a little later, and the one before stays known until the last token it signed has ended.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SpiffeId } from "../identity/spiffe-id.ts";
import { signWithKeyId } from "../jwt/sign-with-key-id.ts";
import { replaceFile } from "../runtime/atomic-file.ts";
import type { Clock } from "../runtime/clock.ts";
import { InTurn } from "../runtime/in-turn.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";
import { type JwtKey, parseJwtKeys, printJwtKeys, readJwtKeyFile } from "./jwt-key-file.ts";

/** How long a token is valid. */
export const JWT_SVID_LIFETIME_MS = 300_000;
/** A new key is known to verifiers for so long before it signs; those of other trust domains ask every minute. */
const KNOWN_BEFORE_USE_MS = 120_000;
/** After the end of the last token, for clocks that differ. */
const KEPT_AFTER_USE_MS = 60_000;
const FILE_MODE = 0o600;
/** Longest wait of Node's timers. */
const MAX_NAP_MS = 2 ** 31 - 1;
/** After keys could not be written. */
const TRY_AGAIN_MS = 60_000;
const KEY_ID_CHARACTERS = 32;

/** Verification keys by their ids, the newest last. */
export type JwtPublicKeys = ReadonlyMap<string, KeyObject>;

export interface MintedJwtSvid {
  readonly token: string;
  readonly expiresAt: Date;
}

export interface JwtAuthorityOptions {
  /** The mesh's data directory. */
  readonly directory: string;
  /** What the signing authority is known by; see `follow`. */
  readonly authority: string;
  readonly clock: Clock;
  /** Hears of keys that should have been written by now, and could not be; they are tried again in a minute. */
  readonly onUnwritten?: (error: unknown) => void;
}

export class JwtAuthority {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #published: WatchedValue<JwtPublicKeys>;
  #keys: readonly JwtKey[];
  readonly #writing = new InTurn();
  readonly #onUnwritten: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;

  private constructor(path: string, keys: readonly JwtKey[], options: JwtAuthorityOptions) {
    this.#path = path;
    this.#clock = options.clock;
    this.#onUnwritten = options.onUnwritten ?? (() => {});
    this.#keys = keys;
    this.#published = new WatchedValue(publicKeysOf(keys));
  }

  /**
   * Reads `DIRECTORY/ca/jwt-authority.json`, which is made on first use.
   *
   * @throws KeyDirectoryError when what is there must not be used
   */
  static async open(options: JwtAuthorityOptions): Promise<JwtAuthority> {
    const { directory, authority } = options;
    const path = join(directory, "ca", "jwt-authority.json");
    const text = await readJwtKeyFile(path);
    const keys = text === undefined ? [] : parseJwtKeys(text, path);
    const opened = new JwtAuthority(path, keys, options);
    await opened.follow(authority);
    return opened;
  }

  /** What verifiers must know. */
  get publicKeys(): Watched<JwtPublicKeys> {
    return this.#published;
  }

  /**
   * Makes a new key if the newest was made under another signing authority; durable before it counts.
   *
   * @param authority a name of it that nothing but it has, such as the fingerprint of its certificate
   */
  follow(authority: string): Promise<void> {
    return this.#writing.run(() => this.#follow(authority));
  }

  /** For an identity that has proved itself to the caller. */
  async mint(id: SpiffeId, audience: readonly string[]): Promise<MintedJwtSvid> {
    const now = this.#clock.now();
    const issuedAt = new Date(Math.floor(now.getTime() / 1000) * 1000);
    const expiresAt = new Date(issuedAt.getTime() + JWT_SVID_LIFETIME_MS);
    const { keyId, privateKey } = signingKey(this.#keys, now);
    const claims = { subject: id, audience, issuedAt, expiresAt };
    return { token: await signWithKeyId(claims, { keyId, privateKey }), expiresAt };
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #follow(authority: string): Promise<void> {
    const now = this.#clock.now();
    const held = currentKeys(
      this.#keys.map((key) => notLater(key, now)),
      now,
    );
    const isNew = held.at(-1)?.authority !== authority;
    const isOther = held.some((key, index) => key !== this.#keys[index]);
    if (isNew || isOther || held.length < this.#keys.length)
      await this.#replace(isNew ? withKeyFor(authority, { now, held }) : held);
    this.#watchEnds(now);
  }

  async #replace(keys: readonly JwtKey[]): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await replaceFile(this.#path, printJwtKeys(keys), { mode: FILE_MODE });
    this.#keys = keys;
    this.#published.set(publicKeysOf(keys));
  }

  /** Forgets the oldest key once it is of no use. */
  #watchEnds(now: Date): void {
    clearTimeout(this.#timer);
    const [oldest, successor] = this.#keys;
    if (oldest === undefined || successor === undefined) return;
    const waitMs = Math.min(endOfUse(successor).getTime() - now.getTime(), MAX_NAP_MS);
    const newest = this.#keys.at(-1) ?? successor;
    this.#wait(Math.max(1, waitMs), newest.authority);
  }

  #wait(waitMs: number, authority: string): void {
    const again = (): void =>
      void this.follow(authority).catch((error: unknown) => {
        this.#onUnwritten(error);
        this.#wait(TRY_AGAIN_MS, authority);
      });
    this.#timer = setTimeout(again, waitMs).unref();
  }
}

/** No key waits for longer than a new one: what says so was made by a clock that ran ahead. */
function notLater(key: JwtKey, now: Date): JwtKey {
  const latest = now.getTime() + KNOWN_BEFORE_USE_MS;
  return key.signsFrom.getTime() > latest ? { ...key, signsFrom: new Date(latest) } : key;
}

/** A key that has signed nothing yet serves the next authority as well: steps back and forth make no heap of keys. */
function withKeyFor(
  authority: string,
  { now, held }: { readonly now: Date; readonly held: readonly JwtKey[] },
): readonly JwtKey[] {
  const newest = held.at(-1);
  return newest !== undefined && newest.signsFrom > now && held.length > 1
    ? [...held.slice(0, -1), { ...newest, authority }]
    : [...held, createKey(authority, { now, held })];
}

function createKey(
  authority: string,
  { now, held }: { readonly now: Date; readonly held: readonly JwtKey[] },
): JwtKey {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "der" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const key = createPrivateKey(privateKey);
  const signsFrom = held.length === 0 ? now : new Date(now.getTime() + KNOWN_BEFORE_USE_MS);
  return { keyId: keyIdOf(key), privateKey: key, authority, signsFrom };
}

function keyIdOf(privateKey: KeyObject): string {
  const der = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return createHash("sha256").update(der).digest("hex").slice(0, KEY_ID_CHARACTERS);
}

/** The newest that signs already. */
function signingKey(keys: readonly JwtKey[], now: Date): JwtKey {
  const key = keys.findLast(({ signsFrom }) => signsFrom <= now) ?? keys[0];
  if (key === undefined) throw new Error("a JWT authority that is open has a key");
  return key;
}

/** Without those whose last token has ended. */
function currentKeys(keys: readonly JwtKey[], now: Date): readonly JwtKey[] {
  return keys.filter((_, index) => {
    const successor = keys[index + 1];
    return successor === undefined || now < endOfUse(successor);
  });
}

/** Of the key before: its last token was signed when this one began to sign. */
function endOfUse({ signsFrom }: JwtKey): Date {
  return new Date(signsFrom.getTime() + JWT_SVID_LIFETIME_MS + KEPT_AFTER_USE_MS);
}

function publicKeysOf(keys: readonly JwtKey[]): JwtPublicKeys {
  return new Map(
    keys.map(({ keyId, privateKey }) => [keyId, createPublicKey(privateKey)] as const),
  );
}
