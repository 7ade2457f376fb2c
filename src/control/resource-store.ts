/** The resources in force. A set with any issue never replaces a good one: a broken DENY must not open a door. */
import { DEFAULT_MESH_SETTINGS } from "../api/mesh-settings.ts";
import type { ParsedResources } from "../api/parse-resources.ts";
import type { Issue, Resource } from "../api/resource.ts";
import { unenforcedIssues } from "../policy/unenforced-resources.ts";
import { type Watched, WatchedValue } from "../runtime/watched.ts";

export class ResourceStore {
  readonly #resources: WatchedValue<readonly Resource[]>;
  readonly #reportRefusal: (issues: readonly Issue[]) => void;
  readonly #judge: (resources: readonly Resource[]) => readonly Issue[];

  /**
   * @param reportRefusal hears the issues of every set that is refused
   * @param judge says what this mesh in particular cannot do
   */
  constructor(
    initial: readonly Resource[],
    reportRefusal: (issues: readonly Issue[]) => void,
    judge: (resources: readonly Resource[]) => readonly Issue[] = () => [],
  ) {
    this.#resources = new WatchedValue(initial);
    this.#reportRefusal = reportRefusal;
    this.#judge = judge;
  }

  get resources(): Watched<readonly Resource[]> {
    return this.#resources;
  }

  /** Takes over a freshly read set, or reports every issue and keeps the last good one. */
  offer({
    resources,
    issues: found,
  }: Pick<ParsedResources, "resources" | "issues">): "taken" | "refused" {
    const issues = changeIssues(
      { resources, issues: found },
      { now: this.#resources.current, judge: this.#judge },
    );
    if (issues.length > 0) {
      this.#reportRefusal(issues);
      return "refused";
    }
    this.#resources.set(resources);
    return "taken";
  }
}

/** What speaks against taking over a set in place of the one in force. */
export function changeIssues(
  { resources, issues }: Pick<ParsedResources, "resources" | "issues">,
  {
    now,
    judge,
  }: {
    readonly now: readonly Resource[];
    readonly judge: (resources: readonly Resource[]) => readonly Issue[];
  },
): readonly Issue[] {
  return [
    ...issues,
    ...unenforcedIssues(resources),
    ...judge(resources),
    ...trustDomainIssues(resources, now),
  ];
}

/** Every identity is made of it: while certificates are out, it cannot become another. */
function trustDomainIssues(next: readonly Resource[], now: readonly Resource[]): readonly Issue[] {
  const [was, will] = [trustDomainOf(now), trustDomainOf(next)];
  if (was === will) return [];
  const config = next.find(({ kind }) => kind === "MeshConfig") ?? next[0];
  const source = config?.meta.source ?? { file: "", line: 1 };
  return [
    {
      source,
      path: "trustDomain",
      problem: `changes from ${was} to ${will}; restart the mesh to change it`,
    },
  ];
}

function trustDomainOf(resources: readonly Resource[]): string {
  const config = resources.find((resource) => resource.kind === "MeshConfig");
  return (config?.settings ?? DEFAULT_MESH_SETTINGS).trustDomain;
}
