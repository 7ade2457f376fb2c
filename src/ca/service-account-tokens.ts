/**
 * Service account tokens, bound to a pod as Kubernetes binds them. Who plays the API server issues them; the control
 * plane, another process, verifies them and has the public key only.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from "node:crypto";
import { join } from "node:path";
import { InvalidTokenError } from "../jwt/invalid-token-error.ts";
import { signToken } from "../jwt/sign-token.ts";
import { verifyToken } from "../jwt/verify-token.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";
import {
  createKeyDirectory,
  inspectKeyDirectory,
  readPrivateKeyFile,
  readTextFile,
} from "./key-directory.ts";

/** `TOKEN_AUDIENCES` (CA-5). */
const TOKEN_AUDIENCE = "istio-ca";
const ISSUER = "https://kubernetes.default.svc.cluster.local";
/** Of a token that names nobody: the API server, as in Kubernetes. */
export const API_AUDIENCE: string = ISSUER;
/** Longest lifetime issued or accepted, in milliseconds. */
export const MAX_TOKEN_LIFETIME_MS = 3_600_000;
const PRIVATE_KEY = "private.pem";
const PUBLIC_KEY = "public.pem";

/** A token was asked for that would live longer than an hour. */
export class TokenLifetimeError extends HauberkError {
  readonly code = "HAUBERK_TOKEN_LIFETIME";
}

/** The pod a token was given to, and the account it runs as. */
export interface TokenBearer {
  readonly namespace: string;
  readonly podName: string;
  readonly podUid: string;
  readonly serviceAccount: string;
}

/** Verifies tokens; holds the public key only. */
export class ServiceAccountTokenVerifier {
  readonly #publicKey: KeyObject;
  constructor(publicKey: KeyObject) {
    this.#publicKey = publicKey;
  }

  /**
   * @param dataDirectory the mesh's; the issuer must have made its key there before
   * @throws KeyDirectoryError when a key is missing
   */
  static async open(dataDirectory: string): Promise<ServiceAccountTokenVerifier> {
    const pem = await readTextFile(join(dataDirectory, "service-account", PUBLIC_KEY));
    return new ServiceAccountTokenVerifier(createPublicKey(pem));
  }

  /** @throws InvalidTokenError */
  async verify(token: string, now: Date): Promise<TokenBearer> {
    const publicKey = this.#publicKey;
    const expected = { publicKey, issuer: ISSUER, audience: TOKEN_AUDIENCE, now };
    return readBearer(await verifyToken(token, expected));
  }
}

/** Issues tokens, and verifies them too. */
export class ServiceAccountTokens extends ServiceAccountTokenVerifier {
  readonly #privateKey: KeyObject;
  constructor(privateKey: KeyObject) {
    super(createPublicKey(privateKey));
    this.#privateKey = privateKey;
  }

  /**
   * Loads the key pair in `DIRECTORY/service-account`, or makes it.
   *
   * @throws KeyDirectoryError when what is there must not be used
   */
  static override async open(dataDirectory: string): Promise<ServiceAccountTokens> {
    const directory = join(dataDirectory, "service-account");
    if ((await inspectKeyDirectory(directory, [PRIVATE_KEY, PUBLIC_KEY])) === "absent")
      await createKeyPair(directory);
    return new ServiceAccountTokens(await readPrivateKeyFile(join(directory, PRIVATE_KEY)));
  }

  /**
   * @param request.lifetimeMs at most one hour
   * @param request.audience whom it is for; absent: the certificate service
   * @throws TokenLifetimeError
   */
  async issue(
    request: TokenBearer & {
      readonly now: Date;
      readonly lifetimeMs: number;
      readonly audience?: string;
    },
  ): Promise<string> {
    const { podName, podUid, audience = TOKEN_AUDIENCE, ...rest } = request;
    return this.issueFor({ ...rest, audiences: [audience], pod: { name: podName, uid: podUid } });
  }

  /**
   * As `kubectl create token` asks for. One that is bound to no pod gets no certificate here.
   *
   * @param request.lifetimeMs at most one hour
   * @throws TokenLifetimeError
   */
  async issueFor({
    namespace,
    serviceAccount,
    audiences,
    pod,
    now,
    lifetimeMs,
  }: {
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly audiences: readonly string[];
    readonly pod?: { readonly name: string; readonly uid: string } | undefined;
    readonly now: Date;
    readonly lifetimeMs: number;
  }): Promise<string> {
    if (!(lifetimeMs > 0 && lifetimeMs <= MAX_TOKEN_LIFETIME_MS))
      throw new TokenLifetimeError(`a token lives at most ${MAX_TOKEN_LIFETIME_MS} ms`);
    const claims = {
      issuer: ISSUER,
      subject: subjectOf({ namespace, serviceAccount }),
      audience: audiences,
      id: randomUUID(),
      issuedAt: now,
      expiresAt: new Date(now.getTime() + lifetimeMs),
      further: {
        "kubernetes.io": {
          namespace,
          ...(pod && { pod }),
          serviceaccount: { name: serviceAccount },
        },
      },
    };
    return signToken(claims, this.#privateKey);
  }
}

async function createKeyPair(directory: string): Promise<void> {
  const { privateKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const publicKey = createPublicKey(createPrivateKey(privateKey));
  await createKeyDirectory(directory, [
    { name: PRIVATE_KEY, text: privateKey, mode: 0o600 },
    {
      name: PUBLIC_KEY,
      text: publicKey.export({ type: "spki", format: "pem" }).toString(),
      mode: 0o644,
    },
  ]);
}

function subjectOf(account: Pick<TokenBearer, "namespace" | "serviceAccount">): string {
  return `system:serviceaccount:${account.namespace}:${account.serviceAccount}`;
}

function readBearer(claims: Readonly<Record<string, unknown>>): TokenBearer {
  const bound = section(claims, "kubernetes.io");
  const pod = section(bound, "pod");
  const bearer = {
    namespace: text(bound, "namespace"),
    podName: text(pod, "name"),
    podUid: text(pod, "uid"),
    serviceAccount: text(section(bound, "serviceaccount"), "name"),
  };
  if (text(claims, "sub") !== subjectOf(bearer))
    throw new InvalidTokenError("the token's subject is not the account it is bound to");
  if (seconds(claims, "exp") - seconds(claims, "iat") > MAX_TOKEN_LIFETIME_MS / 1000)
    throw new InvalidTokenError("the token's lifetime is too long");
  return bearer;
}

function section(from: Readonly<Record<string, unknown>>, name: string): Record<string, unknown> {
  const value = from[name];
  if (typeof value !== "object" || value === null)
    throw new InvalidTokenError(`the token has no claim "${name}"`);
  return { ...value };
}

function text(from: Readonly<Record<string, unknown>>, name: string): string {
  const value = from[name];
  if (typeof value !== "string" || value === "")
    throw new InvalidTokenError(`the token has no claim "${name}"`);
  return value;
}

function seconds(from: Readonly<Record<string, unknown>>, name: string): number {
  const value = from[name];
  if (typeof value !== "number") throw new InvalidTokenError(`the token has no claim "${name}"`);
  return value;
}
