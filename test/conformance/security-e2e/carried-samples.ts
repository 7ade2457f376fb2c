/** A mesh of three workloads and cases about it in upstream's form, for tests of what carries cases. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CaseOutcome, runCase } from "../suite-runner.ts";
import type { SuiteByProxies } from "./security-e2e-by-proxies.ts";

const PORTS = {
  http: { name: "http", servicePort: 80, workloadPort: 8080, protocol: "HTTP" },
  http2: { name: "http2", servicePort: 85, workloadPort: 8085, protocol: "HTTP2" },
  grpc: { name: "grpc", servicePort: 70, workloadPort: 7070, protocol: "GRPC" },
  tcp: { name: "tcp", servicePort: 90, workloadPort: 9090, protocol: "TCP" },
  https: { name: "https", servicePort: 443, workloadPort: 8443, protocol: "HTTPS" },
} as const;

const METHODS: Readonly<Record<string, string>> = { grpc: "POST" };

export interface CarriedSample {
  readonly policies: readonly object[];
  /** `bare` has no proxy. */
  readonly from: "caller" | "bare";
  readonly to: "api" | "bare";
  readonly by: keyof typeof PORTS;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly setup?: object;
  readonly expected: Readonly<Record<string, unknown>>;
}

const security = (kind: string, spec: object): object => ({
  apiVersion: "security.istio.io/v1",
  kind,
  metadata: { name: "one", namespace: "shop" },
  spec,
});
const mode = (name: string): object => security("PeerAuthentication", { mtls: { mode: name } });
const DENY_B = security("AuthorizationPolicy", {
  action: "DENY",
  rules: [{ to: [{ operation: { paths: ["/b"] } }] }],
});
const ALLOW_TOKENS = security("AuthorizationPolicy", {
  rules: [{ from: [{ source: { requestPrincipals: ["*"] } }] }],
});
const AS_CALLED = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { name: "one", namespace: "shop" },
  spec: { host: "*.local", trafficPolicy: { loadBalancer: { simple: "PASSTHROUGH" } } },
};
const ALLOW_OTHERS = security("AuthorizationPolicy", {
  rules: [{ from: [{ source: { principals: ["cluster.local/ns/shop/sa/other"] } }] }],
});

const ASK = security("AuthorizationPolicy", {
  action: "CUSTOM",
  provider: { name: "ext" },
  rules: [{}],
});
const asked = (provider: object): object => ({
  extensionProviders: [{ name: "ext", ...provider }],
  authorizer:
    'allows a request when header x-ext-authz: allow is present; for TCP allows when the source principal ends in "/sa/a"',
});
const AUTHORIZER = "ext-authz.servers.svc.cluster.local";
const BY_HTTP = asked({
  envoyExtAuthzHttp: {
    service: AUTHORIZER,
    port: 8000,
    includeRequestHeadersInCheck: ["x-ext-authz"],
  },
});
const BY_GRPC = asked({ envoyExtAuthzGrpc: { service: AUTHORIZER, port: 9000 } });
const decoding = {
  meshConfig: { pathNormalization: { normalization: "DECODE_AND_MERGE_SLASHES" } },
};

const through = (mtls: boolean): CarriedSample["expected"] => ({
  success: true,
  httpStatus: 200,
  mtls,
});
const FAILS = { success: false, check: "any error or status other than 200" };
const FORBIDDEN = { allowed: false, httpStatus: 403 };
const PASSES = { allowed: true, httpStatus: 200 };

/** Those of one mesh follow each other. */
export const CARRIED_SAMPLES: Readonly<Record<string, CarriedSample>> = {
  "STRICT: HTTP/1.1": row("caller", "api", "http", [mode("STRICT")], through(true)),
  "STRICT: HTTP/2": row("caller", "api", "http2", [mode("STRICT")], through(true)),
  "STRICT: TCP": row("caller", "api", "tcp", [mode("STRICT")], through(true)),
  "STRICT: TLS of the application": row("caller", "api", "https", [mode("STRICT")], through(true)),
  "STRICT: HTTP without a proxy": row("bare", "api", "http", [mode("STRICT")], FAILS),
  "STRICT: TCP without a proxy": row("bare", "api", "tcp", [mode("STRICT")], FAILS),
  "PERMISSIVE: without a proxy": row("bare", "api", "http", [mode("PERMISSIVE")], through(false)),
  "PERMISSIVE: its own TLS": row("bare", "api", "https", [mode("PERMISSIVE")], through(false)),
  "PERMISSIVE: to whom has no proxy": row(
    "caller",
    "bare",
    "http",
    [mode("PERMISSIVE")],
    through(false),
  ),
  "PERMISSIVE: gRPC": row("caller", "api", "grpc", [mode("PERMISSIVE")], { allowed: true }),
  "DENY: another path": row("caller", "api", "http2", [DENY_B], PASSES),
  "DENY: its path": { ...row("caller", "api", "http2", [DENY_B], FORBIDDEN), path: "/b" },
  "ALLOW tokens: HTTP without one": row("caller", "api", "http", [ALLOW_TOKENS], FORBIDDEN),
  "PASSTHROUGH: HTTP": row("caller", "api", "http", [AS_CALLED], through(true)),
  "PASSTHROUGH: TCP": row("caller", "api", "tcp", [AS_CALLED], through(true)),
  "ALLOW others: HTTP": row("caller", "api", "http", [ALLOW_OTHERS], FORBIDDEN),
  "ALLOW others: gRPC": row("caller", "api", "grpc", [ALLOW_OTHERS], {
    allowed: false,
    grpcCode: "PermissionDenied",
  }),
  "CUSTOM by HTTP: allowed": {
    ...row("caller", "api", "http", [ASK], PASSES),
    ...{ setup: BY_HTTP, headers: { "x-ext-authz": "allow" } },
  },
  "CUSTOM by HTTP: denied": { ...row("caller", "api", "http", [ASK], FORBIDDEN), setup: BY_HTTP },
  "CUSTOM by gRPC: denied": { ...row("caller", "api", "http2", [ASK], FORBIDDEN), setup: BY_GRPC },
  "paths: as the application hears them": {
    ...row("caller", "api", "http", [], { allowed: true, upstreamPath: "/app/admin/x" }),
    ...{ setup: decoding, path: "/app//..%2f\\admin%2fx#y" },
  },
  "paths: HTTP/2": {
    ...row("caller", "api", "http2", [], { allowed: true, upstreamPath: "/a?b=%2f" }),
    ...{ setup: decoding, path: "//%61?b=%2f" },
  },
  "ALLOW others: TCP": row("caller", "api", "tcp", [ALLOW_OTHERS], {
    allowed: false,
    connection: "closed (client sees EOF)",
  }),
};

function row(
  from: CarriedSample["from"],
  to: CarriedSample["to"],
  by: CarriedSample["by"],
  policies: readonly object[],
  expected: CarriedSample["expected"],
): CarriedSample {
  return { from, to, by, policies, expected };
}

export class CarriedSamples {
  readonly #suite: SuiteByProxies;
  readonly #folder = mkdtempSync(join(tmpdir(), "hauberk-carried-"));
  #files = 0;

  constructor(suite: SuiteByProxies) {
    this.#suite = suite;
    mkdirSync(join(this.#folder, "fixtures"));
    const workloads = ["caller", "api", "bare"].map((name, index) => [
      name,
      {
        serviceAccount: name,
        sidecar: name !== "bare",
        headless: false,
        statefulSet: false,
        podIP: { shop: `10.1.0.${index + 1}` },
        labels: { app: name },
      },
    ]);
    this.#write("fixtures/topology.json", {
      namespaces: { shop: { injected: true } },
      workloads: Object.fromEntries(workloads),
      ports: Object.values(PORTS),
    });
    this.#write("fixtures/tokens.json", { tokens: {} });
    this.#write("fixtures/jwks.json", { keys: [] });
  }

  async run(sample: CarriedSample): Promise<CaseOutcome> {
    const { policies, from, to, by, path = "/a", headers = {}, setup = {}, expected } = sample;
    const written = policies.map((policy) => JSON.stringify(policy)).join("\n---\n");
    this.#files++;
    const renderedPolicies = `${this.#files}.yaml`; // files are read once
    writeFileSync(join(this.#folder, renderedPolicies), written);
    return runCase(this.#suite.runner["authz"], {
      folder: this.#folder,
      test: {
        name: "case",
        policies: [],
        renderedPolicies,
        setup,
        from: { ns: "shop", workload: from, sa: from, sidecar: from !== "bare" },
        to: {
          ns: "shop",
          workload: to,
          port: PORTS[by],
          method: METHODS[by] ?? "GET",
          path,
          headers,
        },
        expected,
      },
    });
  }

  async close(): Promise<void> {
    await this.#suite.close();
    rmSync(this.#folder, { recursive: true });
  }

  #write(name: string, content: unknown): void {
    writeFileSync(join(this.#folder, name), JSON.stringify(content));
  }
}
