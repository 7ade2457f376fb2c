/** What is written of a mesh, as texts, and what they say together. Files of users and objects of the API server are both texts. */
import { joinMeshConfigs } from "../api/join-mesh-configs.ts";
import { KnownDocuments } from "../api/known-documents.ts";
import { type ParsedResources, resourcesOf } from "../api/parse-resources.ts";
import {
  formatLocation,
  formatRef,
  type Issue,
  type Notice,
  type Resource,
} from "../api/resource.ts";
import { deployedGateways } from "../policy/deployed-gateways.ts";

/** One text of YAML documents. */
export interface WrittenText {
  /** As it stands in messages. */
  readonly file: string;
  readonly text: string;
  /**
   * Resources of this text that are not in force as they stand here, since the API server changed or deleted them: their
   * references, as `referenceOf` makes them.
   */
  readonly setAside?: readonly string[];
  /** Where relative paths in it lead from; absent: the folder of the file. */
  readonly folder?: string;
  /** The API server filled in what its writer left out: notes on single fields would be on what nobody wrote. */
  readonly completed?: true;
}

/** Names one resource in `setAside`. */
export function referenceOf(resource: Resource): string {
  return formatRef({ kind: resource.kind, ...resource.meta });
}

interface ReadText {
  readonly text: string;
  readonly folder: string | undefined;
  readonly parsed: ParsedResources;
}

/** Remembers what each text said, so that a change of one document costs the reading of one. */
export class TextReader {
  readonly #documents: KnownDocuments;
  #read: ReadonlyMap<string, ReadText> = new Map();

  /** @param documents of the same files, where others read them too */
  constructor(documents: KnownDocuments = new KnownDocuments()) {
    this.#documents = documents;
  }

  /**
   * All that the texts say together; what only some of them say is forgotten afterwards.
   *
   * A resource written twice and a second mesh configuration are issues too.
   */
  read(texts: readonly WrittenText[]): ParsedResources {
    const read = new Map<string, ReadText>();
    const resources: Resource[] = [];
    const issues: Issue[] = [];
    const notices: Notice[] = [];
    for (const { file, text, setAside = [], folder, completed } of texts) {
      const known = this.#read.get(file);
      const isKnown = known?.text === text && known.folder === folder;
      const parsed = isKnown ? known.parsed : this.#parse(text, { file, folder });
      read.set(file, { text, folder, parsed });
      const aside = new Set(setAside);
      resources.push(...parsed.resources.filter((resource) => !aside.has(referenceOf(resource))));
      issues.push(...parsed.issues);
      notices.push(
        ...(completed === undefined ? parsed.notices : parsed.notices.filter(isWritten)),
      );
    }
    this.#read = read;
    this.#documents.retain(new Set(read.keys()));
    issues.push(...duplicateIssues(resources));
    resources.push(...deployedGateways(resources));
    return { resources: joinMeshConfigs(resources), issues, notices };
  }

  #parse(
    text: string,
    { file, folder }: { readonly file: string; readonly folder: string | undefined },
  ): ParsedResources {
    return inFolder(resourcesOf(this.#documents.read(text, file)), folder);
  }
}

/** A server completes fields below `spec` alone: of others, whoever wrote them is told. */
function isWritten({ path }: Notice): boolean {
  return path.startsWith("metadata.");
}

function inFolder(parsed: ParsedResources, folder: string | undefined): ParsedResources {
  if (folder === undefined) return parsed;
  const resources = parsed.resources.map((resource): Resource => {
    const { meta } = resource;
    return { ...resource, meta: { ...meta, source: { ...meta.source, folder } } };
  });
  return { ...parsed, resources };
}

/** Each resource that has been given before, by kind, namespace and name. */
export function duplicateIssues(resources: readonly Resource[]): Issue[] {
  const first = new Map<string, Resource>();
  const issues: Issue[] = [];
  for (const resource of resources) {
    const keys = keysOf(resource);
    const taken = keys.find((key) => first.has(key));
    const earlier = taken === undefined ? undefined : first.get(taken);
    if (earlier === undefined) for (const key of keys) first.set(key, resource);
    else
      issues.push({
        source: resource.meta.source,
        path: "metadata.name",
        problem: `${taken} is already defined at ${formatLocation(earlier.meta.source)}; expected each resource once`,
      });
  }
  return issues;
}

/** Our own section of the mesh configuration may have a document of its own. */
function keysOf(resource: Resource): readonly string[] {
  if (resource.kind !== "MeshConfig") return [referenceOf(resource)];
  const { kind, ownSection } = resource;
  return [
    ...(ownSection === "alone" ? [] : [kind]),
    ...(ownSection === "absent" ? [] : [`hauberk of ${kind}`]),
  ];
}
