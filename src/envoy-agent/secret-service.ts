/**
 * Hands Envoy its certificate and its trust, and each change of them. Both stay on this machine: the control plane sends no
 * key, and Envoy knows nobody but its agent.
 */
import { envoySecrets } from "../envoy/envoy-secrets.ts";
import type { X509Svid } from "../identity/x509-svid.ts";
import type { Trust, WorkloadView } from "../policy/workload-view.ts";
import type { Log } from "../runtime/log.ts";
import type { Watched } from "../runtime/watched.ts";
import { streamService } from "../wire/byte-streams.ts";
import type { GrpcService, ServerStream } from "../wire/grpc-service.ts";
import { GrpcStatusError } from "../wire/grpc-status.ts";
import {
  type Secret,
  type SecretRequest,
  type SecretResponse,
  STREAM_SECRETS,
} from "../wire/secret-discovery.ts";
import type { AcceptedTrust } from "./accepted-trust.ts";

/** Istio's names. */
export const CERTIFICATE_SECRET = "default";
export const TRUST_SECRET = "ROOTCA";
/** Envoy asks for each on a stream of its own; whoever asks for more is no Envoy of ours. */
const MAX_NAMES = 8;
const MAX_LOGGED_CHARACTERS = 1_000;

export interface SecretServiceOptions {
  readonly svid: Watched<X509Svid | undefined>;
  readonly views: Watched<WorkloadView | undefined>;
  /** Learns which trust Envoy has taken over. */
  readonly accepted: AcceptedTrust;
  /** The file with the authorities that the operating system trusts. */
  readonly systemRoots: string;
  readonly log: Log;
}

export function secretService(options: SecretServiceOptions): GrpcService {
  return streamService(STREAM_SECRETS, (stream) => serve(stream, options), options.log);
}

type Stream = ServerStream<SecretRequest, SecretResponse>;

async function serve(stream: Stream, options: SecretServiceOptions): Promise<void> {
  const { svid, views } = options;
  const followed = new SecretStream(options, stream);
  const push = (): void => followed.push("changed");
  const unwatch = [svid.onChange(push), views.onChange(push)];
  try {
    for await (const request of stream.requests) followed.receive(request);
  } finally {
    for (const stop of unwatch) stop();
    followed.end();
  }
}

class SecretStream {
  readonly #options: SecretServiceOptions;
  readonly #stream: Stream;
  readonly #accepted: AcceptedTrust;
  #names: readonly string[] = [];
  #nonce = 0;
  /** What was sent last, of each name. */
  readonly #sent = new Map<string, string>();
  /** The trust of the response that is not answered yet. */
  #awaited: Trust | undefined;

  constructor(options: SecretServiceOptions, stream: Stream) {
    this.#options = options;
    this.#stream = stream;
    this.#accepted = options.accepted;
  }

  /** @throws GrpcStatusError */
  receive({ names, nonce, refusal }: SecretRequest): void {
    if (names.length > MAX_NAMES)
      throw new GrpcStatusError("INVALID_ARGUMENT", `at most ${MAX_NAMES} secrets`);
    if (nonce !== "" && nonce !== `${this.#nonce}`) return; // of a response that another followed
    if (nonce !== "") this.#takeAnswer(refusal);
    const isAskingForMore = names.some((name) => !this.#names.includes(name));
    this.#names = names;
    this.push(isAskingForMore ? "asked" : "changed");
  }

  /** Everything that was asked for in one response, when any of it is other than before. */
  push(because: "asked" | "changed"): void {
    const secrets = this.#names.flatMap((name) => this.#secretOf(name) ?? []);
    const isOther = secrets.some((secret) => this.#sent.get(secret.name) !== textOf(secret));
    if (secrets.length === 0 || (because === "changed" && !isOther)) return;
    this.#nonce++;
    for (const secret of secrets) this.#sent.set(secret.name, textOf(secret));
    const tellsTrust = secrets.some(({ name }) => name === TRUST_SECRET);
    if (tellsTrust) {
      this.#awaited = this.#options.views.current?.trust;
      this.#accepted.sent(this, this.#awaited);
    }
    const nonce = `${this.#nonce}`;
    this.#stream.send({ version: nonce, nonce, secrets });
  }

  end(): void {
    this.#accepted.gone(this);
  }

  #takeAnswer(refusal: string | undefined): void {
    const { log } = this.#options;
    const awaited = this.#awaited;
    this.#awaited = undefined;
    if (refusal !== undefined) {
      const error = refusal.slice(0, MAX_LOGGED_CHARACTERS);
      log.error("Envoy refuses a secret", { names: this.#names.join(", "), error });
      if (awaited !== undefined) this.#accepted.refused(this, awaited, error);
    } else if (awaited !== undefined) this.#accepted.taken(this, awaited);
  }

  #secretOf(name: string): Secret | undefined {
    const { svid, views } = this.#options;
    if (name === CERTIFICATE_SECRET && svid.current !== undefined) {
      const { certificateChainPem: chainPem, privateKeyPem } = svid.current;
      return { name, kind: "certificate", chainPem, privateKeyPem };
    }
    const trust = views.current?.trust;
    if (name !== TRUST_SECRET) return this.#otherSecret(name);
    if (trust === undefined) return undefined;
    return {
      name,
      kind: "trust",
      rootsPem: trust.rootsPem.join("\n"),
      crlsPem: (trust.crlsPem ?? []).join("\n"),
    };
  }

  /** Of Secrets in the view, and of files: what a gateway shows its clients, and what is shown to others. */
  #otherSecret(name: string): Secret | undefined {
    const view = this.#options.views.current;
    return view && envoySecrets(view, this.#options.systemRoots).get(name);
  }
}

/** By which one is known from the next: nothing of it is kept in clear where a certificate tells the same. */
function textOf(secret: Secret): string {
  return JSON.stringify(
    secret.kind === "certificate" ? secret.chainPem : [secret.rootsPem, secret.crlsPem],
  );
}
