/**
 * Rules as large meshes have them, and requests to judge: a seeded mix of exact, prefix and suffix principals, namespaces,
 * methods, paths, hosts, ports, headers and exclusions, 3 % of them DENY. Only what every engine compared can say.
 */

/** Exact values, `prefix*` and `*suffix`. */
export interface MixedRule {
  readonly action: "ALLOW" | "DENY";
  readonly principals?: readonly string[];
  readonly notPrincipals?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly methods?: readonly string[];
  readonly ports?: readonly string[];
  readonly hosts?: readonly string[];
  readonly paths?: readonly string[];
  readonly notPaths?: readonly string[];
  readonly header?: { readonly name: string; readonly values: readonly string[] };
}

export interface MixedRequest {
  readonly principal: string;
  readonly namespace: string;
  readonly account: string;
  readonly method: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"];
const PORTS = ["8080", "9090", "8443"];
const HEADERS = ["x-tenant", "x-version", "x-role"];
const NAMESPACES = 50;
const ACCOUNTS = 20;
const RESOURCES = 400;

export class Mix {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = mulberry32(seed);
  }

  rules(count: number): readonly MixedRule[] {
    return Array.from({ length: count }, () => this.#rule());
  }

  /** Half of them made to fit a rule, the others at random. */
  requests(count: number, rules: readonly MixedRule[]): readonly MixedRequest[] {
    const allow = rules.filter(({ action }) => action === "ALLOW");
    return Array.from({ length: count }, (_, index) => {
      const rule = index % 2 === 0 ? this.#one(allow) : undefined;
      return this.#request(rule ?? { action: "ALLOW" });
    });
  }

  #rule(): MixedRule {
    const who = this.#next();
    return {
      action: this.#next() < 0.03 ? "DENY" : "ALLOW",
      ...(who < 0.45 && { principals: this.#several(2, () => this.#principal()) }),
      ...(who >= 0.45 && who < 0.62 && { principals: [`cluster.local/ns/${this.#namespace()}/*`] }),
      ...(who >= 0.62 && who < 0.7 && { principals: [`*/sa/${this.#account()}`] }),
      ...(who >= 0.7 && who < 0.95 && { namespaces: this.#several(2, () => this.#namespace()) }),
      ...(this.#next() < 0.05 && { notPrincipals: [this.#principal()] }),
      ...(this.#next() < 0.6 && { methods: this.#several(2, () => this.#one(METHODS)) }),
      ...(this.#next() < 0.25 && { ports: this.#several(2, () => this.#one(PORTS)) }),
      ...(this.#next() < 0.1 && { hosts: [this.#hostPattern()] }),
      paths: this.#several(3, () => this.#pathPattern()),
      ...(this.#next() < 0.08 && { notPaths: [`${this.#path()}*`] }),
      ...(this.#next() < 0.12 && {
        header: { name: this.#one(HEADERS), values: this.#several(2, () => `v${this.#below(5)}`) },
      }),
    };
  }

  #request(rule: MixedRule): MixedRequest {
    const [namespace, account] = this.#callerOf(rule);
    const { header } = rule;
    return {
      principal: `cluster.local/ns/${namespace}/sa/${account}`,
      namespace,
      account,
      method: this.#one(rule.methods ?? METHODS),
      host: this.#filled(this.#one(rule.hosts ?? [`svc${this.#below(20)}.shop`])),
      port: Number(this.#one(rule.ports ?? PORTS)),
      path: this.#filled(this.#one(rule.paths ?? [this.#path()])),
      headers: {
        ...(header && { [header.name]: this.#one(header.values) }),
        ...(this.#next() < 0.3 && { "x-request-id": `r${this.#below(1e6)}` }),
      },
    };
  }

  #callerOf({ principals, namespaces }: MixedRule): readonly [namespace: string, account: string] {
    const parts =
      principals &&
      /\/?(?:ns\/([^/*]+))?\/(?:sa\/)?([^/*]+)?/.exec(
        this.#one(principals).replace("cluster.local", ""),
      );
    const namespace = parts?.[1] ?? (namespaces && this.#one(namespaces)) ?? this.#namespace();
    return [namespace, parts?.[2] ?? this.#account()];
  }

  #filled(pattern: string): string {
    return pattern.replace("*", `x${this.#below(50)}`);
  }

  #principal(): string {
    return `cluster.local/ns/${this.#namespace()}/sa/${this.#account()}`;
  }

  #namespace(): string {
    return `team-${this.#below(NAMESPACES)}`;
  }

  #account(): string {
    return `service-${this.#below(ACCOUNTS)}`;
  }

  #hostPattern(): string {
    const host = `svc${this.#below(20)}.shop`;
    const kind = this.#next();
    if (kind < 0.6) return host;
    return kind < 0.8 ? `svc${this.#below(20)}.*` : "*.shop";
  }

  #path(): string {
    return `/api/v${this.#below(3)}/resource-${this.#below(RESOURCES)}`;
  }

  #pathPattern(): string {
    const kind = this.#next();
    if (kind < 0.5) return `${this.#path()}/item-${this.#below(20)}`;
    if (kind < 0.9) return `${this.#path()}/*`;
    return `*/file-${this.#below(100)}.json`;
  }

  #several<T>(most: number, make: () => T): readonly T[] {
    return Array.from({ length: 1 + this.#below(most) }, make);
  }

  #one<T>(items: readonly T[]): T {
    const item = items[this.#below(items.length)];
    if (item === undefined) throw new RangeError("one of nothing");
    return item;
  }

  #below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }
}

/** Seeded chance, the same on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
