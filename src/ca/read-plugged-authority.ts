/** Reads an authority that somebody brings, and takes it only when it can do what a mesh needs of it (CA-43..CA-45, CA-50). */
import { createPrivateKey, type KeyObject } from "node:crypto";
import { pemBlocks } from "../identity/pem-file.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import { type BroughtCertificate, readBrought } from "./brought-certificate.ts";
import { judgeAuthority } from "./judge-plugged-authority.ts";
import { judgeRevocationLists } from "./judge-revocation-lists.ts";
import { type PluggedAuthority, PluggedAuthorityError } from "./plugged-authority.ts";
import { type AuthorityFiles, readPluggedFiles } from "./plugged-authority-files.ts";

const KEY_LABELS = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/** @throws PluggedAuthorityError with every reason */
export async function readPluggedAuthority(
  directory: string,
  { now }: { readonly now: Date },
): Promise<PluggedAuthority> {
  const composed = composePluggedAuthority(await readPluggedFiles(directory), now);
  if ("problems" in composed) throw new PluggedAuthorityError(directory, composed.problems);
  return composed;
}

/** The authority that these files are, or everything that is wrong with them; pure. */
export function composePluggedAuthority(
  files: AuthorityFiles,
  now: Date,
): PluggedAuthority | { readonly problems: readonly string[] } {
  const { signing, between, roots, privateKey, problems } = parseFiles(files);
  if (signing === undefined || roots.length === 0) return { problems };
  const { key, lists: file } = files.names;
  const judged = judgeAuthority({ signing, between, roots, privateKey, keyFile: key }, now);
  const lists = judgeRevocationLists(
    { text: file && files.texts.get(file), file: file ?? "" },
    { chain: judged.chain, between, now },
  );
  const all = [...problems, ...judged.problems, ...lists.problems];
  if (all.length > 0 || privateKey === undefined) return { problems: all };
  return {
    certificatePem: signing.pem,
    privateKey,
    intermediatesPem: judged.chain.slice(0, -1).map(({ pem }) => pem),
    rootsPem: roots.map(({ pem }) => pem),
    crlsPem: lists.crlsPem,
    notes: [...files.notes, ...judged.notes, ...lists.notes],
  };
}

interface ParsedFiles {
  readonly signing: BroughtCertificate | undefined;
  readonly between: readonly BroughtCertificate[];
  readonly roots: readonly BroughtCertificate[];
  readonly privateKey: KeyObject | undefined;
  readonly problems: readonly string[];
}

function parseFiles({ names, texts, problems: ofFiles }: AuthorityFiles): ParsedFiles {
  const problems = [...ofFiles];
  const parse = <T>(name: string, read: (text: string, name: string) => T): T | undefined => {
    const text = texts.get(name);
    try {
      return text === undefined ? undefined : read(text, name);
    } catch (error) {
      problems.push(`${name} ${describeError(error)}`);
      return undefined;
    }
  };
  const [signing, ...further] = parse(names.certificate, readSome) ?? [];
  const roots = parse(names.roots, readSome) ?? [];
  const chain = names.chain === names.roots ? [] : (parse(names.chain, readBrought) ?? []);
  const privateKey = parse(names.key, readKey);
  return { signing, between: [...further, ...chain], roots, privateKey, problems };
}

function readSome(text: string, file: string): readonly BroughtCertificate[] {
  const certificates = readBrought(text, file);
  if (certificates.length === 0)
    throw new Error(
      "holds no certificate: expected a block that begins with -----BEGIN CERTIFICATE-----",
    );
  return certificates;
}

function readKey(text: string): KeyObject {
  const blocks = pemBlocks(text);
  const isEncrypted = ({ label, text }: (typeof blocks)[number]): boolean =>
    label === "ENCRYPTED PRIVATE KEY" || /^Proc-Type: 4,ENCRYPTED/m.test(text);
  if (blocks.some(isEncrypted))
    throw new Error(
      "is encrypted: expected a key without passphrase, as `openssl pkey -in FILE -out FILE` writes it",
    );
  const keys = blocks.filter(({ label }) => KEY_LABELS.includes(label));
  const [key, ...others] = keys;
  if (key === undefined)
    throw new Error(
      "holds no private key: expected a block that begins with -----BEGIN PRIVATE KEY-----",
    );
  if (others.length > 0) throw new Error(`holds ${keys.length} private keys: expected one`);
  try {
    return createPrivateKey(key.text);
  } catch {
    // OpenSSL's own words name no cause that helps, and may one day name more than they should.
    throw new Error("holds a private key that cannot be read");
  }
}
