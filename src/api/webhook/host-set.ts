/** Which hosts of a list mean the same, found by their ends: a list may have fifty thousand. */

/**
 * Hosts, some of them wildcards, which begin with `*`: a wildcard covers each host, and each narrower wildcard, that ends
 * as it does. What is asked costs no more than its own length.
 */
export class HostSet {
  readonly #exact = new Set<string>();
  /** What follows the `*` of each wildcard. */
  readonly #endings = new Set<string>();
  constructor(hosts: readonly string[]) {
    for (const host of hosts) {
      if (isWildcard(host)) this.#endings.add(host.slice(1));
      else this.#exact.add(host);
    }
  }

  /** Whether one of the hosts covers `name`. */
  covers(name: string): boolean {
    return this.#exact.has(name) || endingsOf(name).some((ending) => this.#endings.has(ending));
  }
}

/** For each host, the place of the first before it in the list that covers it or that it covers. */
export function overlapsBefore(hosts: readonly string[]): readonly (number | undefined)[] {
  const { exact, wildcards, covered } = firstPlaces(hosts);
  return hosts.map((host, place) => {
    const same = isWildcard(host) ? covered.get(host.slice(1)) : exact.get(host);
    const wider = endingsOf(host).map((ending) => wildcards.get(ending));
    const first = wider.reduce(earlier, same);
    return first !== undefined && first < place ? first : undefined;
  });
}

interface FirstPlaces {
  readonly exact: ReadonlyMap<string, number>;
  /** By what follows the `*`. */
  readonly wildcards: ReadonlyMap<string, number>;
  /** By what follows the `*` of a wildcard: of the first host that it covers. */
  readonly covered: ReadonlyMap<string, number>;
}

function firstPlaces(hosts: readonly string[]): FirstPlaces {
  const [exact, wildcards] = [new Map<string, number>(), new Map<string, number>()];
  for (const [place, host] of hosts.entries()) {
    if (isWildcard(host)) addFirst(wildcards, host.slice(1), place);
    else addFirst(exact, host, place);
  }
  const covered = new Map<string, number>();
  for (const [place, host] of hosts.entries()) {
    for (const ending of endingsOf(host)) {
      if (wildcards.has(ending)) addFirst(covered, ending, place);
    }
  }
  return { exact, wildcards, covered };
}

function addFirst(places: Map<string, number>, key: string, place: number): void {
  if (!places.has(key)) places.set(key, place);
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

/** What wildcards that cover it may have after their `*`: it has at most 255 characters. */
function endingsOf(host: string): readonly string[] {
  const text = isWildcard(host) ? host.slice(1) : host;
  return Array.from({ length: text.length + 1 }, (_, start) => text.slice(start));
}

function isWildcard(host: string): boolean {
  return host.startsWith("*");
}
