/** Tells what is served: all at once as kubectl asks now, or group by group as older clients do. */
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind, Subresource, Verb } from "../kinds/served-kind.ts";
import { acceptedDiscovery } from "./accept.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ApiRequest } from "./api-request.ts";
import { apiVersionOf, type KindIndex } from "./kind-index.ts";
import { REVIEW_KINDS, type ReviewKind } from "./review-kinds.ts";

const CORE_VERSIONS = ["v1"];

interface Part {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly verbs: readonly string[];
}

const WRITTEN: readonly Verb[] = ["get", "patch", "update"];
const PART_VERBS: Readonly<Record<Subresource, readonly string[]>> = {
  status: WRITTEN,
  scale: WRITTEN,
  log: ["get"],
  exec: ["create", "get"],
  portforward: ["create", "get"],
  token: ["create"],
};

/** Of subresources that are no part of the object itself. */
const PART_KINDS: Readonly<Partial<Record<Subresource, Part["kind"]>>> = {
  scale: { group: "autoscaling", version: "v1", kind: "Scale" },
  exec: { group: "", version: "v1", kind: "PodExecOptions" },
  portforward: { group: "", version: "v1", kind: "PodPortForwardOptions" },
  token: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
};

/** @returns undefined for a path that is not of discovery */
export function discoveryAnswer(kinds: KindIndex, request: ApiRequest): ApiAnswer | undefined {
  const [root, group, version, ...rest] = request.path;
  if (rest.length > 0) return undefined;
  if (root === "api" && group === undefined) return coreVersions(kinds, request);
  if (root === "api" && version === undefined) return resourceList(kinds, "", group ?? "");
  if (root !== "apis") return undefined;
  if (group === undefined) return allGroups(kinds, request);
  if (version !== undefined) return resourceList(kinds, group, version);
  return groupsOf(kinds).includes(group)
    ? value({ kind: "APIGroup", apiVersion: "v1", ...groupOf(kinds, group) })
    : undefined;
}

function coreVersions(kinds: KindIndex, { headers }: ApiRequest): ApiAnswer {
  const form = acceptedDiscovery(headers.accept);
  if (form !== undefined) return aggregated(kinds, [""], form);
  const serverAddressByClientCIDRs = [
    { clientCIDR: "0.0.0.0/0", serverAddress: headers.host ?? "" },
  ];
  return value({ kind: "APIVersions", versions: CORE_VERSIONS, serverAddressByClientCIDRs });
}

function allGroups(kinds: KindIndex, { headers }: ApiRequest): ApiAnswer {
  const form = acceptedDiscovery(headers.accept);
  const groups = groupsOf(kinds);
  if (form !== undefined) return aggregated(kinds, groups, form);
  return value({
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groups.map((group) => groupOf(kinds, group)),
  });
}

function groupOf(kinds: KindIndex, group: string): JsonObject {
  const versions = versionsOf(kinds, group).map((version) => ({
    groupVersion: apiVersionOf(group, version),
    version,
  }));
  const [preferredVersion] = versions;
  return { name: group, versions, ...(preferredVersion === undefined ? {} : { preferredVersion }) };
}

function resourceList(kinds: KindIndex, group: string, version: string): ApiAnswer | undefined {
  const resources = [
    ...kinds.kindsOf(group, version).flatMap(resourcesOf),
    ...REVIEW_KINDS.filter((one) => one.group === group && one.version === version).map(
      ({ plural, singular, kind }) => ({
        name: plural,
        singularName: singular,
        namespaced: false,
        kind,
        verbs: ["create"],
      }),
    ),
  ];
  if (resources.length === 0) return undefined;
  const groupVersion = apiVersionOf(group, version);
  return value({ kind: "APIResourceList", apiVersion: "v1", groupVersion, resources });
}

function resourcesOf(kind: ServedKind): JsonObject[] {
  const { plural, singular, namespaced, verbs, shortNames, categories, subresources } = kind;
  const own = {
    name: plural,
    singularName: singular,
    namespaced,
    kind: kind.kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
  const parts = subresources.map((name) => {
    const other = PART_KINDS[name];
    return {
      name: `${plural}/${name}`,
      singularName: "",
      namespaced,
      ...(other === undefined || other.group === "" ? {} : other),
      kind: other?.kind ?? kind.kind,
      verbs: PART_VERBS[name],
    };
  });
  return [own, ...parts];
}

/** Source: apidiscovery.k8s.io APIGroupDiscoveryList. */
function aggregated(
  kinds: KindIndex,
  groups: readonly string[],
  form: "v2" | "v2beta1",
): ApiAnswer {
  const apiVersion = `apidiscovery.k8s.io/${form}`;
  const items = groups.map((group) => ({
    metadata: { ...(group === "" ? {} : { name: group }), creationTimestamp: null },
    versions: versionsOf(kinds, group).map((version) => ({
      version,
      resources: [
        ...kinds.kindsOf(group, version).map((kind) => discovered(kind, version)),
        ...REVIEW_KINDS.filter((one) => one.group === group && one.version === version).map(
          discoveredReview,
        ),
      ],
      freshness: "Current",
    })),
  }));
  const contentType = `application/json;g=apidiscovery.k8s.io;v=${form};as=APIGroupDiscoveryList`;
  const list = { kind: "APIGroupDiscoveryList", apiVersion, metadata: {}, items };
  return value(list, { contentType, headers: { vary: "Accept" } });
}

function discovered(kind: ServedKind, version: string): JsonObject {
  const { group, plural, singular, namespaced, verbs, shortNames, categories } = kind;
  const subresources = kind.subresources.map((name) => ({
    subresource: name,
    responseKind: PART_KINDS[name] ?? { group, version, kind: kind.kind },
    verbs: PART_VERBS[name],
  }));
  return {
    resource: plural,
    responseKind: { group, version, kind: kind.kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}

function discoveredReview({ group, version, kind, plural, singular }: ReviewKind): JsonObject {
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: "Cluster",
    singularResource: singular,
    verbs: ["create"],
  };
}

function groupsOf(kinds: KindIndex): readonly string[] {
  return [...new Set([...kinds.groups, ...REVIEW_KINDS.map(({ group }) => group)])];
}

function versionsOf(kinds: KindIndex, group: string): readonly string[] {
  const own = kinds.versionsOf(group);
  const reviews = REVIEW_KINDS.filter((one) => one.group === group).map(({ version }) => version);
  return [...new Set([...own, ...reviews])];
}
