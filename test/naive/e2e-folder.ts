/** What a folder of Istio's end-to-end cases says beside the cases: the mesh, its tokens, the policies of each case. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { parseResources } from "../../src/api/parse-resources.ts";
import type { Labels, Resource } from "../../src/api/resource.ts";
import type { E2eCase } from "./e2e-case.ts";

export interface EchoWorkload {
  readonly sidecar: boolean;
  readonly podIP: Readonly<Record<string, string>>;
  readonly labels: Labels;
}

/** A token's payload, or nothing where the token can't be good. */
export interface IssuedToken {
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface AcceptedIssuer {
  readonly issuer: string;
  readonly spaceDelimitedClaims: readonly string[];
  /** The rule says more than an issuer and its keys, such as audiences or places to look for the token. */
  readonly asksMore: boolean;
}

export class E2eFolder {
  readonly #folder: string;
  readonly #ports: Topology["ports"];
  readonly workloads: Readonly<Record<string, EchoWorkload>>;
  readonly tokens: Readonly<Record<string, IssuedToken>>;

  constructor(folder: string) {
    this.#folder = folder;
    const topology = this.#json<Topology>("fixtures/topology.json");
    this.workloads = topology.workloads;
    this.#ports = topology.ports;
    this.tokens = this.#json<{ tokens: Record<string, IssuedToken> }>(
      "fixtures/tokens.json",
    ).tokens;
  }

  cases(): readonly E2eCase[] {
    return this.#json<{ cases: readonly E2eCase[] }>("authz.json").cases;
  }

  /** @throws Error if an AuthorizationPolicy of the case is refused */
  resources(test: E2eCase): readonly Resource[] {
    return this.#documents(test)
      .filter((document) => document.kind === "AuthorizationPolicy")
      .flatMap((document) => {
        const { resources, issues } = parseResources(
          JSON.stringify(document),
          test.renderedPolicies,
        );
        if (issues.length > 0) throw new Error(issues.map(({ problem }) => problem).join("; "));
        return resources;
      });
  }

  demandsMutualTls(test: E2eCase): boolean {
    const strict = this.#documents(test).filter(({ kind }) => kind === "PeerAuthentication");
    return strict.some(({ spec }) => JSON.stringify(spec).includes("STRICT"));
  }

  /** Whether a DestinationRule keeps the caller's sidecar from mutual TLS; the caller's namespace comes first (TLS-41). */
  speaksPlaintext(test: E2eCase): boolean {
    const { from, to } = test;
    const rules = this.#documents(test).filter(({ kind }) => kind === "DestinationRule");
    const ofHost = rules.filter(({ spec }) => isHostOf(spec?.host ?? "", to.host ?? ""));
    const nearest =
      ofHost.find(({ metadata }) => metadata?.namespace === from.ns) ??
      ofHost.find(({ metadata }) => metadata?.namespace === to.ns);
    return nearest?.spec?.trafficPolicy?.tls?.mode === "DISABLE";
  }

  /** @returns 0 for a port that no workload has */
  workloadPort(servicePort: number | null): number {
    return this.#ports.find((port) => port.servicePort === servicePort)?.workloadPort ?? 0;
  }

  acceptedIssuers(test: E2eCase): readonly AcceptedIssuer[] {
    const documents = this.#documents(test).filter(({ kind }) => kind === "RequestAuthentication");
    const known = ["issuer", "jwks", "jwksUri", "forwardOriginalToken", "spaceDelimitedClaims"];
    return documents
      .flatMap(({ spec }) => spec?.jwtRules ?? [])
      .map((rule) => ({
        issuer: rule.issuer ?? "",
        spaceDelimitedClaims: rule.spaceDelimitedClaims ?? [],
        asksMore: Object.keys(rule).some((field) => !known.includes(field)),
      }));
  }

  #documents(test: E2eCase): readonly WrittenDocument[] {
    const text = readFileSync(join(this.#folder, test.renderedPolicies), "utf8");
    return parseAllDocuments(text).map((document): WrittenDocument => document.toJS());
  }

  #json<Shape>(file: string): Shape {
    return JSON.parse(readFileSync(join(this.#folder, file), "utf8"));
  }
}

function isHostOf(pattern: string, host: string): boolean {
  return pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));
}

interface Topology {
  readonly workloads: Readonly<Record<string, EchoWorkload>>;
  readonly ports: readonly { readonly servicePort: number | null; readonly workloadPort: number }[];
}

interface WrittenDocument {
  readonly kind: string;
  readonly metadata?: { readonly namespace?: string };
  readonly spec?: {
    readonly jwtRules?: readonly WrittenJwtRule[];
    readonly host?: string;
    readonly trafficPolicy?: { readonly tls?: { readonly mode?: string } };
  };
}

interface WrittenJwtRule {
  readonly issuer?: string;
  readonly spaceDelimitedClaims?: readonly string[];
}
