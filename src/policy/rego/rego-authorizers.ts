/** Pods of a mesh that run Open Policy Agent as an external authorizer, with the policies that they are given. */
import type { Container } from "../../api/container.ts";
import {
  containerCommand,
  type ImageCommand,
  type PlainVariable,
} from "../../api/image-commands.ts";
import { formatRef, type PodOwner, type Resource } from "../../api/resource.ts";
import { ofKind } from "../mesh-snapshot.ts";

export interface RegoAuthorizer {
  /** `Deployment istio-system/opa-authorizer` */
  readonly title: string;
  /** It and its policies are in. */
  readonly namespace: string;
  readonly files: readonly RegoFile[];
  /** The rule that answers, as in a query: `data.istio.authz.allow`. */
  readonly decision: string;
  /** "v0": as Rego was before OPA 1.0. */
  readonly dialect: "v0" | "v1";
}

export interface RegoFile {
  /** `policy.rego` */
  readonly name: string;
  readonly text: string;
  /** Whose key it is. */
  readonly configMap: string;
}

const DEFAULT_PATH = "envoy/authz/allow";
const PATH =
  /\bplugins\.(?:envoy_ext_authz_grpc|"?envoy\.ext_authz\.grpc"?)\.(path|query)=([^\s,]+)/;
const FILE = /\.(rego|json|ya?ml)$/;
/** By which `opa run` is told, as a flag or as a variable. */
const V0_FLAG = /^--v0-compatible(=true)?$/;
const V0_VARIABLES = ["OPA_RUN_V0_COMPATIBLE", "OPA_V0_COMPATIBLE"];

/** In the order of the resources; those without any policy in a ConfigMap are left out. */
export function regoAuthorizers(resources: readonly Resource[]): readonly RegoAuthorizer[] {
  const images = ofKind(resources, "ImageCommands").flatMap((one) => one.images);
  const owners = [...ofKind(resources, "Deployment"), ...ofKind(resources, "StatefulSet")];
  return owners.flatMap((owner) =>
    owner.template.containers
      .filter((container) => isOpa(container, images))
      .map((container) => authorizerOf({ owner, container }, { images, resources }))
      .filter(({ files }) => files.length > 0),
  );
}

function isOpa(container: Container, images: readonly ImageCommand[]): boolean {
  const [image = ""] = container.image.split("@");
  const program = containerCommand(container, images)?.argv[0] ?? "";
  return /(^|\/)opa(:|$)/.test(image) || /(^|\/)opa$/.test(program);
}

function authorizerOf(
  { owner, container }: { readonly owner: PodOwner; readonly container: Container },
  { images, resources }: { images: readonly ImageCommand[]; resources: readonly Resource[] },
): RegoAuthorizer {
  const run = containerCommand(container, images) ?? { argv: container.args, env: [] };
  const written = container.env.filter((one): one is PlainVariable => "value" in one);
  return {
    title: formatRef({ kind: owner.kind, ...owner.meta }),
    namespace: owner.meta.namespace,
    files: filesOf({ owner, container }, resources),
    decision: decisionOf(run.argv),
    dialect: isOld(run.argv, [...run.env, ...written]) ? "v0" : "v1",
  };
}

function decisionOf(argv: readonly string[]): string {
  const [, form, value = DEFAULT_PATH] = PATH.exec(argv.join(" ")) ?? [];
  return form === "query" ? value : `data.${value.split("/").filter(Boolean).join(".")}`;
}

function isOld(argv: readonly string[], env: readonly PlainVariable[]): boolean {
  return (
    argv.some((one) => V0_FLAG.test(one)) ||
    env.some(({ name, value }) => V0_VARIABLES.includes(name) && value === "true")
  );
}

function filesOf(
  { owner, container }: { readonly owner: PodOwner; readonly container: Container },
  resources: readonly Resource[],
): readonly RegoFile[] {
  const mounted = new Set(container.volumeMounts.map(({ name }) => name));
  const names = owner.template.volumes.flatMap((volume) =>
    volume.kind === "configMap" && mounted.has(volume.name) ? volume.resourceName : [],
  );
  return ofKind(resources, "ConfigMap")
    .filter(({ meta }) => meta.namespace === owner.meta.namespace && names.includes(meta.name))
    .flatMap(({ kind, meta, data }) =>
      [...data]
        .filter(([name]) => FILE.test(name))
        .map(([name, text]) => ({ name, text, configMap: formatRef({ kind, ...meta }) })),
    );
}
