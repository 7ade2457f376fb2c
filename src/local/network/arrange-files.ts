/**
 * The files that a container sees: the machine's own, read-only, with other things put in places. Something can be put
 * where nothing is; the folder around it is then made anew and filled with what it held, since nothing may be written
 * on the machine itself. Pure.
 */
import { posix } from "node:path";
import { FabricError } from "./fabric-error.ts";
import type { HostFiles } from "./host-files.ts";

export type Placement =
  | {
      readonly kind: "read-only" | "writable";
      readonly target: string;
      /** Absolute path on the machine. */
      readonly source: string;
    }
  /** A file that is not shown, whatever takes its place on the machine: what is beside it is, as it is now. */
  | { readonly kind: "withheld"; readonly target: string }
  /** Empty: "scratch" can be written, "hidden" cannot. */
  | { readonly kind: "scratch" | "hidden"; readonly target: string }
  /** A folder as empty as a hidden one, where it would be seen otherwise; nothing stands where it would not. */
  | { readonly kind: "covered"; readonly target: string }
  | { readonly kind: "devices" | "processes"; readonly target: string };

/** As many as Linux follows. */
const MAX_LINKS = 40;

/** In the place of which something else stands: what it shows, told by where that lies on the machine. */
interface Region {
  readonly target: string;
  /** Absent where the machine has no say: something empty, devices, processes. */
  readonly shows?: string;
  readonly placement?: Placement;
}

/**
 * @param placements what to put where; of two for the same place the later one counts. Links on the way are followed
 * @param options.perms permission bits of what is empty and can be written, where its user is not the one who makes it
 * @returns arguments of bwrap
 * @throws FabricError when a place lies below a file
 */
export function arrangeFiles(
  placements: readonly Placement[],
  { host, perms }: { readonly host: HostFiles; readonly perms?: string },
): readonly string[] {
  const arrangement = new Arrangement(host);
  for (const placement of sortedByPlace(placements)) arrangement.put(placement);
  return arrangement.write(perms);
}

function sortedByPlace(placements: readonly Placement[]): readonly Placement[] {
  return [...placements].sort((one, other) => compareByPlace(one.target, other.target));
}

/** Outer places first. */
function compareByPlace(one: string, other: string): number {
  const [left, right] = [partsOf(one), partsOf(other)];
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const [a = "", b = ""] = [left[index], right[index]];
    if (a !== b) return a < b ? -1 : 1;
  }
  return left.length - right.length;
}

function partsOf(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

class Arrangement {
  readonly #host: HostFiles;
  readonly #regions: Map<string, Region> = new Map();
  /** Folders made anew, and where on the machine the old one lies. */
  readonly #opened: Map<string, string> = new Map([["/", "/"]]);

  /** Folders that are made on the way to a place. */
  readonly #made: Set<string> = new Set();

  constructor(host: HostFiles) {
    this.#host = host;
  }

  put(placement: Placement): void {
    const target = this.#settle(placement);
    if (target === undefined) return;
    this.#opened.delete(target);
    const source = "source" in placement ? placement.source : undefined;
    this.#regions.set(target, {
      target,
      placement: { ...placement, target },
      ...(source !== undefined && { shows: source }),
    });
  }

  write(perms: string | undefined): readonly string[] {
    const opened = [...this.#opened];
    const places = [
      ...[...this.#made].map((target) => ({
        target,
        write: () => (perms === undefined ? [] : ["--perms", "0755", "--dir", target]),
      })),
      ...opened.map(([target, source]) => ({
        target,
        write: () => this.#refill(target, source),
      })),
      ...[...this.#regions.values()].flatMap(({ target, placement }) =>
        placement === undefined || this.#opened.has(target)
          ? []
          : [{ target, write: () => mountArguments(placement, perms) }],
      ),
    ];
    places.sort((one, other) => compareByPlace(one.target, other.target));
    const hidden = [...this.#regions.values()].flatMap(({ target, placement }) =>
      placement?.kind === "hidden" || placement?.kind === "covered" ? [target] : [],
    );
    const closed = [...opened.map(([target]) => target), ...hidden];
    return [
      ...places.flatMap(({ write }) => write()),
      ...closed.flatMap((target) => ["--remount-ro", target]),
    ];
  }

  /**
   * Finds where a place really is, and opens the folder in which it must be made.
   *
   * @returns undefined for something to hide or to withhold that is not there
   */
  #settle(placement: Placement): string | undefined {
    let path = posix.resolve("/", placement.target);
    for (let links = 0; links <= MAX_LINKS; links++) {
      const step = this.#walk(path, placement);
      if (typeof step !== "object") return step;
      path = step.next;
    }
    throw new FabricError(`${placement.target} is a link that leads nowhere`);
  }

  #walk(path: string, placement: Placement): string | undefined | { readonly next: string } {
    const parts = partsOf(path);
    const around = partsOf(this.#regionOf(path).target);
    for (let count = around.length + 1; count <= parts.length; count++) {
      const folder = `/${parts.slice(0, count - 1).join("/")}`;
      const entry = `/${parts.slice(0, count).join("/")}`;
      const real = this.#whereOnHost(entry);
      if (real === undefined && isOnlyTaken(placement)) return undefined;
      if (real === undefined) return this.#makeWay(entry, path);
      const found = this.#host.lookAt(real);
      const rest = parts.slice(count);
      if (found.kind === "link") {
        return { next: posix.resolve(folder, found.to, ...rest) };
      }
      if (found.kind === "absent" && placement.kind === "withheld") return undefined;
      if (found.kind === "absent") return this.#makeIn(entry, { path, placement });
      if (found.kind === "file" && rest.length > 0) {
        throw new FabricError(`${placement.target} lies below ${entry}, which is a file`);
      }
      if (rest.length === 0 && !this.#fits(placement, found.kind)) {
        return this.#makeIn(entry, { path, placement });
      }
    }
    return path;
  }

  /** @returns undefined where it can be made without asking */
  #whereOnHost(entry: string): string | undefined {
    const region = this.#regionOf(entry);
    if (region.shows === undefined) return undefined;
    return posix.join(region.shows, posix.relative(region.target, entry));
  }

  /** The innermost around the path. */
  #regionOf(path: string): Region {
    for (let at = posix.dirname(path); at !== "/"; at = posix.dirname(at)) {
      const region = this.#regions.get(at);
      if (region !== undefined) return region;
    }
    return { target: "/", shows: "/" };
  }

  /** @param entry the first part of the path that has to be made */
  #makeIn(
    entry: string,
    { path, placement }: { readonly path: string; readonly placement: Placement },
  ): string | undefined {
    if (placement.kind === "hidden" || placement.kind === "covered") return undefined;
    const folder = posix.dirname(entry);
    const real = this.#whereOnHost(entry);
    if (real === undefined || this.#regionOf(entry).placement?.kind === "writable") {
      return this.#makeWay(entry, path);
    }
    if (!this.#opened.has(folder)) this.#opened.set(folder, posix.dirname(real));
    return this.#makeWay(entry, path);
  }

  /** @returns the path, once the folders from `entry` on are known to be made */
  #makeWay(entry: string, path: string): string {
    for (let at = posix.dirname(path); at.length >= entry.length; at = posix.dirname(at)) {
      if (!this.#regions.has(at)) this.#made.add(at);
    }
    return path;
  }

  /** A file stands on a file, everything else on a folder. */
  #fits(placement: Placement, found: "folder" | "file"): boolean {
    if (!("source" in placement)) return found === "folder";
    const source = this.#followed(placement.source);
    return source === "absent" || source === found;
  }

  #followed(path: string): "folder" | "file" | "absent" {
    let at = path;
    for (let links = 0; links <= MAX_LINKS; links++) {
      const found = this.#host.lookAt(at);
      if (found.kind !== "link") return found.kind;
      at = posix.resolve(posix.dirname(at), found.to);
    }
    return "absent";
  }

  #refill(target: string, source: string): readonly string[] {
    const made = target === "/" ? [] : ["--tmpfs", target];
    const entries = this.#host.entries(source).flatMap((name) => {
      const place = posix.join(target, name);
      if (this.#regions.has(place) || this.#opened.has(place)) return [];
      const real = posix.join(source, name);
      const found = this.#host.lookAt(real);
      if (found.kind === "absent") return [];
      return found.kind === "link"
        ? ["--symlink", found.to, place]
        : ["--ro-bind-try", real, place];
    });
    return [...made, ...entries];
  }
}

/** It matters only where something is seen. */
function isOnlyTaken({ kind }: Placement): boolean {
  return kind === "withheld" || kind === "covered";
}

function mountArguments(placement: Placement, perms: string | undefined): readonly string[] {
  const { target } = placement;
  switch (placement.kind) {
    case "withheld":
      return [];
    case "read-only":
      return ["--ro-bind", placement.source, target];
    case "writable":
      return ["--bind", placement.source, target];
    case "scratch":
      return [...(perms === undefined ? [] : ["--perms", perms]), "--tmpfs", target];
    case "hidden":
    case "covered":
      return ["--tmpfs", target];
    case "devices":
      return ["--dev", target];
    case "processes":
      return ["--proc", target];
  }
}
