/** Makes a real kube-apiserver serve the kinds that resource definitions describe. */
import { parseAllDocuments } from "yaml";
import { eventually } from "../../kit/eventually.ts";
import type { RealApiServer } from "./real-api-server.ts";

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

interface Definition {
  readonly metadata: { readonly name: string };
}

interface Condition {
  readonly type: string;
  readonly status: string;
}

/** @param text YAML of CustomResourceDefinitions */
export async function installDefinitions(real: RealApiServer, text: string): Promise<void> {
  const documents = parseAllDocuments(text).map((one) => one.toJS() as Definition | null);
  const definitions = documents.filter((one) => one !== null);
  for (const definition of definitions) {
    const { status, body } = await real.call({
      method: "POST",
      path: DEFINITIONS,
      body: definition,
    });
    if (status !== 201) throw new Error(`${definition.metadata.name}: ${JSON.stringify(body)}`);
  }
  for (const { metadata } of definitions) {
    await eventually(`${metadata.name} to be served`, async () => {
      const { body } = await real.call({ method: "GET", path: `${DEFINITIONS}/${metadata.name}` });
      const { conditions = [] } = (body as { status?: { conditions?: Condition[] } }).status ?? {};
      return conditions.some(({ type, status }) => type === "Established" && status === "True");
    });
  }
}
