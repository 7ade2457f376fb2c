/** The kinds that are Hauberk's own. */
import { CREATED_DESCRIPTION, definedAgeColumn, nameColumn } from "./columns.ts";
import { defined } from "./kind-parts.ts";
import type { PrinterColumn, ServedKind } from "./served-kind.ts";
import { structureOf } from "./structure-of.ts";

const group = "hauberk.dev";
const categories: readonly string[] = ["hauberk"];
const columns: readonly PrinterColumn[] = [nameColumn, definedAgeColumn(CREATED_DESCRIPTION)];

export const OWN_KINDS: readonly ServedKind[] = [
  defined({
    group,
    categories,
    columns,
    kind: "ImageCommands",
    plural: "imagecommands",
    singular: "imagecommands",
    namespaced: false,
    structure: structureOf("ImageCommands"),
  }),
  defined({
    group,
    categories,
    columns,
    kind: "RateLimit",
    plural: "ratelimits",
    versions: ["v1alpha1"],
    structure: structureOf("RateLimit"),
  }),
  defined({
    group,
    categories,
    columns,
    kind: "RemoteCluster",
    plural: "remoteclusters",
    namespaced: false,
    structure: structureOf("RemoteCluster"),
  }),
];
