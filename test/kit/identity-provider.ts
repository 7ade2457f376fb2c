/** The identity providers of other people's manifests, played by one HTTPS server on loopback: keys for hosts of any name. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { type JWTPayload, SignJWT } from "jose";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

const KEY_ID = "of-the-test";

export class IdentityProvider {
  /** PEM of who issued its certificate. */
  readonly rootPem: string;
  readonly #serverOptions: { readonly cert: string; readonly key: string };
  readonly #privateKey: KeyObject;
  readonly #jwks: string;
  #server: Server | undefined;
  #port = 0;
  /** `host path`, of each request. */
  readonly asked: string[] = [];

  /** @param hosts that its certificate names */
  constructor(hosts: readonly string[]) {
    const { rootPem, serverCertificate } = createThrowawayAuthority();
    const certificate = serverCertificate({ dnsNames: hosts, ipAddresses: [] });
    this.rootPem = rootPem;
    this.#serverOptions = { cert: certificate.certificateChainPem, key: certificate.privateKeyPem };
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
    this.#privateKey = privateKey;
    this.#jwks = JSON.stringify({
      keys: [{ ...publicKey.export({ format: "jwk" }), kid: KEY_ID, use: "sig", alg: "RS256" }],
    });
  }

  /** Of loopback; the same one each time it starts. */
  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const server = createServer(this.#serverOptions, (request, response) => {
      this.asked.push(`${request.headers.host} ${request.url}`);
      response.setHeader("content-type", "application/json").end(this.#jwks);
    });
    this.#server = server;
    server.listen(this.#port, "127.0.0.1");
    await once(server, "listening");
    this.#port = (server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  /** RS256; for an hour from `now`, unless the claims say otherwise. */
  sign(claims: JWTPayload, now: Date = new Date()): Promise<string> {
    const issuedAt = Math.floor(now.getTime() / 1_000);
    return new SignJWT({ iat: issuedAt, exp: issuedAt + 3_600, ...claims })
      .setProtectedHeader({ alg: "RS256", kid: KEY_ID })
      .sign(this.#privateKey);
  }

  /** What a pod needs to play it. */
  get files(): Readonly<Record<"chain.pem" | "key.pem" | "jwks.json", string>> {
    const { cert, key } = this.#serverOptions;
    return { "chain.pem": cert, "key.pem": key, "jwks.json": this.#jwks };
  }

  /** The section of the mesh configuration and the ServiceEntries that lead to it. */
  manifests(hosts: readonly string[]): string {
    const entries = hosts.map(
      (host) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${host.replaceAll(".", "-")}, namespace: istio-system}
spec:
  hosts: [${host}]
  ports: [{number: 443, name: https, protocol: TLS}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {https: ${this.#port}}}]
`,
    );
    const settings = {
      jwks: { allowedAddresses: ["127.0.0.1"], certificateAuthorities: this.rootPem },
    };
    return [`hauberk: ${JSON.stringify(settings)}\n`, ...entries].join("---\n");
  }
}
