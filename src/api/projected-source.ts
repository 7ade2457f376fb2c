/**
 * What a projected volume puts together in one folder: tokens, ConfigMaps and Secrets.
 * Source: https://kubernetes.io/docs/concepts/storage/projected-volumes/
 */
import { type DataSource, dataSource } from "./data-source.ts";
import type { Fields } from "./decoder.ts";
import { relativePathProblem } from "./mount-path.ts";
import { quoted } from "./quoted.ts";

export type ProjectedSource = DataSource | TokenSource;

/** A token of the pod's service account, renewed before it expires. */
export interface TokenSource {
  readonly kind: "serviceAccountToken";
  /** Whom it is for; absent: the mesh's API server. */
  readonly audience?: string;
  /** 600 and more. */
  readonly expirationSeconds: number;
  /** Of the file, relative, and never leads out of the volume. */
  readonly path: string;
}

const KINDS = ["serviceAccountToken", "configMap", "secret"] as const;
const UNSUPPORTED_KINDS = ["clusterTrustBundle", "downwardAPI", "podCertificate"];

const DEFAULT_EXPIRATION_SECONDS = 3_600;
const EXPIRATIONS = { min: 600, max: 2 ** 32 };

/** @param volume the projected volume; two files of the same path are refused, as by Kubernetes */
export function projectedSources(volume: Fields): readonly ProjectedSource[] {
  const items = volume.list("sources");
  const taken = new Set<string>();
  return items.flatMap((item) => {
    const source = projectedSource(item);
    for (const path of pathsOf(source)) {
      if (taken.has(path))
        item.reportHere(`gives a file that another source does: ${quoted(path)}`);
      taken.add(path);
    }
    return source ?? [];
  });
}

function projectedSource(item: Fields): ProjectedSource | undefined {
  item.accept(KINDS);
  item.unsupported(UNSUPPORTED_KINDS, (kind) => `projected source ${kind}`);
  const given = [...KINDS, ...UNSUPPORTED_KINDS].filter((kind) => item.has(kind));
  if (given.length !== 1) item.reportHere(`must have exactly one of ${KINDS.join(", ")}`);
  const kind = KINDS.find((candidate) => given.includes(candidate));
  if (kind === undefined) return undefined;
  const fields = item.section(kind);
  return kind === "serviceAccountToken"
    ? tokenSource(fields)
    : dataSource(fields, { kind, nameField: "name" });
}

function tokenSource(fields: Fields): TokenSource {
  const audience = fields.text("audience");
  return {
    kind: "serviceAccountToken",
    ...(audience && { audience }),
    expirationSeconds:
      fields.integer("expirationSeconds", EXPIRATIONS) ?? DEFAULT_EXPIRATION_SECONDS,
    path: fields.requiredText("path", relativePathProblem),
  };
}

/** As far as they are known: of a resource without `items` every key is a file. */
function pathsOf(source: ProjectedSource | undefined): readonly string[] {
  if (source === undefined) return [];
  if (source.kind === "serviceAccountToken") return [source.path];
  return source.items.map(({ path }) => path);
}
