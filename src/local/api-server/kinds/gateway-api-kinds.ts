/** The kinds of the Gateway API that the mesh reads, served as its resource definitions say. */
import {
  column,
  conditionColumn,
  definedAgeColumn,
  definitionDescription,
  nameColumn,
  pathColumn,
} from "./columns.ts";
import { listAt, textAt } from "./json-access.ts";
import { defined } from "./kind-parts.ts";
import type { PrinterColumn, ServedKind } from "./served-kind.ts";
import { structureOf } from "./structure-of.ts";

const group = "gateway.networking.k8s.io";
const versions: ServedKind["versions"] = ["v1", "v1beta1"];
const categories: readonly string[] = ["gateway-api"];

const ageColumn: PrinterColumn = definedAgeColumn(
  definitionDescription(".metadata.creationTimestamp"),
);

const specColumn = (name: string, field: string, priority = 0): PrinterColumn =>
  pathColumn(name, definitionDescription(`.spec.${field}`), ["spec", field], { priority });

export const GATEWAY_API_KINDS: readonly ServedKind[] = [
  defined({
    group,
    versions,
    categories,
    kind: "GatewayClass",
    plural: "gatewayclasses",
    shortNames: ["gc"],
    namespaced: false,
    structure: structureOf("GatewayClass"),
    columns: [
      nameColumn,
      specColumn("Controller", "controllerName"),
      conditionColumn("Accepted", "Accepted"),
      ageColumn,
      specColumn("Description", "description", 1),
    ],
  }),
  defined({
    group,
    versions,
    categories,
    kind: "Gateway",
    plural: "gateways",
    shortNames: ["gtw"],
    structure: structureOf("KubernetesGateway"),
    columns: [
      nameColumn,
      specColumn("Class", "gatewayClassName"),
      column("Address", definitionDescription(".status.addresses[*].value"), (gateway) => {
        const [first] = listAt(gateway, "status", "addresses");
        return first === undefined ? null : textAt(first, "value");
      }),
      conditionColumn("Programmed", "Programmed"),
      ageColumn,
    ],
  }),
  defined({
    group,
    versions,
    categories,
    kind: "HTTPRoute",
    plural: "httproutes",
    structure: structureOf("HTTPRoute"),
    columns: [nameColumn, specColumn("Hostnames", "hostnames"), ageColumn],
  }),
  defined({
    group,
    versions,
    categories,
    kind: "ReferenceGrant",
    plural: "referencegrants",
    shortNames: ["refgrant"],
    subresources: [],
    structure: structureOf("ReferenceGrant"),
    columns: [nameColumn, ageColumn],
  }),
];
