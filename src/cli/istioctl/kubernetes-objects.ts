/** The objects of a running mesh, asked of its Kubernetes API with the kubeconfig in its data directory. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describeError, HauberkError } from "../../runtime/hauberk-error.ts";
import type { ClusterObjects, Collection } from "./describe/cluster-objects.ts";

/** The mesh does not run, or does not serve the Kubernetes API. */
export class NoKubernetesApiError extends HauberkError {
  readonly code = "HAUBERK_NO_KUBERNETES_API";
}

const PATHS: Readonly<Record<Collection, string>> = {
  pods: "/api/v1/pods",
  services: "/api/v1/services",
  configmaps: "/api/v1/configmaps",
  destinationrules: "/apis/networking.istio.io/v1/destinationrules",
  virtualservices: "/apis/networking.istio.io/v1/virtualservices",
  gateways: "/apis/networking.istio.io/v1/gateways",
  peerauthentications: "/apis/security.istio.io/v1/peerauthentications",
};
const PATIENCE_MS = 10_000;

interface Access {
  readonly server: string;
  readonly authorityPem: string;
  readonly token: string;
}

/** @throws NoKubernetesApiError */
export async function meshObjects(dataDirectory: string): Promise<ClusterObjects> {
  const file = join(dataDirectory, "kubeconfig");
  try {
    const access = accessIn(await readFile(file, "utf8"));
    const lists = await Promise.all(
      Object.entries(PATHS).map(async ([name, path]) => [name, await itemsAt(path, access)]),
    );
    return Object.fromEntries(lists);
  } catch (error) {
    throw new NoKubernetesApiError(`no answer by ${file}: ${describeError(error)}`);
  }
}

/** The file is of this program's own making: each value is JSON, but for what is base64. */
function accessIn(kubeconfig: string): Access {
  const field = (name: string): string => {
    const value = new RegExp(`^ +${name}: (.*)$`, "m").exec(kubeconfig)?.[1];
    if (value === undefined) throw new NoKubernetesApiError(`it has no ${name}`);
    return value;
  };
  return {
    server: JSON.parse(field("server")),
    authorityPem: Buffer.from(field("certificate-authority-data"), "base64").toString(),
    token: JSON.parse(field("token")),
  };
}

async function itemsAt(path: string, { server, authorityPem, token }: Access): Promise<unknown> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const headers = { authorization: `Bearer ${token}`, accept: "application/json" };
  const asked = request(new URL(path, server), { ca: authorityPem, headers, signal }).end();
  const [response] = await once(asked, "response", { signal });
  const body = await text(response);
  if (response.statusCode !== 200)
    throw new NoKubernetesApiError(`${path} is answered with ${response.statusCode}`);
  return (JSON.parse(body) as { readonly items: unknown }).items;
}
