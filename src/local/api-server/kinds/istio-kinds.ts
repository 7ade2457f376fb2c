/** Istio's kinds, served as its resource definitions say. Source: Istio manifests/charts/base/files/crd-all.gen.yaml. */
import { CREATED_DESCRIPTION, definedAgeColumn, nameColumn, pathColumn } from "./columns.ts";
import { defined } from "./kind-parts.ts";
import type { PrinterColumn, ServedKind } from "./served-kind.ts";
import { structureOf } from "./structure-of.ts";

const CREATED: string =
  "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC. Populated by the system. Read-only. Null for lists. ";
const ageColumn: PrinterColumn = definedAgeColumn(
  `${CREATED}More info: https://git.k8s.io/community/contributors/devel/api-conventions.md#metadata`,
);
const conventionsAgeColumn: PrinterColumn = definedAgeColumn(
  `${CREATED}For more information, see [Kubernetes API Conventions](https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#metadata)`,
);
/** Where the definition names no columns. */
const plainAgeColumn: PrinterColumn = definedAgeColumn(CREATED_DESCRIPTION);

const NETWORKING_VERSIONS: ServedKind["versions"] = ["v1", "v1beta1", "v1alpha3"];
const SECURITY_VERSIONS: ServedKind["versions"] = ["v1", "v1beta1"];

interface Given {
  readonly plural?: string;
  readonly versions?: ServedKind["versions"];
  readonly shortNames?: readonly string[];
  readonly columns?: readonly PrinterColumn[];
}

function istio(area: string, kind: string, versions: ServedKind["versions"], given: Given = {}) {
  return defined({
    group: `${area}.istio.io`,
    kind,
    versions,
    plural: `${kind.toLowerCase()}s`,
    categories: ["istio-io", `${area}-istio-io`],
    structure: structureOf(kind),
    ...given,
    columns: [nameColumn, ...(given.columns ?? [plainAgeColumn])],
  });
}

const networking = (kind: string, given: Given = {}): ServedKind =>
  istio("networking", kind, given.versions ?? NETWORKING_VERSIONS, given);
const security = (kind: string, given: Given): ServedKind =>
  istio("security", kind, SECURITY_VERSIONS, given);

const specColumn = (name: string, description: string, ...path: readonly string[]): PrinterColumn =>
  pathColumn(name, description, ["spec", ...path]);

export const ISTIO_KINDS: readonly ServedKind[] = [
  istio("extensions", "WasmPlugin", ["v1alpha1"], { columns: [ageColumn] }),
  networking("DestinationRule", {
    shortNames: ["dr"],
    columns: [
      specColumn("Host", "The name of a service from the service registry", "host"),
      conventionsAgeColumn,
    ],
  }),
  networking("EnvoyFilter", { versions: ["v1alpha3"] }),
  networking("Gateway", { shortNames: ["gw"] }),
  networking("ProxyConfig", { versions: ["v1beta1"] }),
  networking("ServiceEntry", {
    plural: "serviceentries",
    shortNames: ["se"],
    columns: [
      specColumn("Hosts", "The hosts associated with the ServiceEntry", "hosts"),
      specColumn(
        "Location",
        "Whether the service is external to the mesh or part of the mesh (MESH_EXTERNAL or MESH_INTERNAL)",
        "location",
      ),
      specColumn(
        "Resolution",
        "Service resolution mode for the hosts (NONE, STATIC, or DNS)",
        "resolution",
      ),
      ageColumn,
    ],
  }),
  networking("Sidecar"),
  networking("VirtualService", {
    shortNames: ["vs"],
    columns: [
      specColumn(
        "Gateways",
        "The names of gateways and sidecars that should apply these routes",
        "gateways",
      ),
      specColumn("Hosts", "The destination hosts to which traffic is being sent", "hosts"),
      ageColumn,
    ],
  }),
  networking("WorkloadEntry", {
    plural: "workloadentries",
    shortNames: ["we"],
    columns: [
      ageColumn,
      specColumn("Address", "Address associated with the network endpoint.", "address"),
    ],
  }),
  networking("WorkloadGroup", { shortNames: ["wg"], columns: [ageColumn] }),
  security("AuthorizationPolicy", {
    plural: "authorizationpolicies",
    shortNames: ["ap"],
    columns: [specColumn("Action", "The operation to take.", "action"), ageColumn],
  }),
  security("PeerAuthentication", {
    shortNames: ["pa"],
    columns: [
      specColumn("Mode", "Defines the mTLS mode used for peer authentication.", "mtls", "mode"),
      ageColumn,
    ],
  }),
  security("RequestAuthentication", { shortNames: ["ra"] }),
  istio("telemetry", "Telemetry", ["v1", "v1alpha1"], {
    plural: "telemetries",
    shortNames: ["telemetry"],
    columns: [ageColumn],
  }),
];
