/** The revocation lists that an authority brings: one of every CA of its chain, or none at all (CA-50). Pure. */
import { isRevoked } from "../identity/certificate-revocation.ts";
import {
  OTHER_ISSUER,
  parseRevocationList,
  type RevocationList,
  revocationListProblem,
} from "../identity/certificate-revocation-list.ts";
import { pemBlocks } from "../identity/pem-file.ts";
import { describeError } from "../runtime/hauberk-error.ts";
import type { BroughtCertificate } from "./brought-certificate.ts";

const LABEL = "X509 CRL";
const MAX_LISTS = 20;

export interface JudgedLists {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** One each; none where there are problems. */
  readonly crlsPem: readonly string[];
}

interface BroughtList {
  readonly pem: string;
  readonly place: string;
  readonly list: RevocationList;
}

/**
 * Envoy, once it has a list of one CA of a chain, refuses every chain that lacks a list of another: so a set that is not
 * complete is not taken.
 */
export function judgeRevocationLists(
  { text, file }: { readonly text: string | undefined; readonly file: string },
  {
    chain,
    between,
    now,
  }: {
    /** The signing certificate first, the root last. */
    readonly chain: readonly BroughtCertificate[];
    /** What the files of certificate and chain hold: the root is of the chain only when it stands there. */
    readonly between: readonly BroughtCertificate[];
    readonly now: Date;
  },
): JudgedLists {
  // A file that is there and empty is one that could not be written whole: it must lift no revocation.
  if (text === undefined) return { problems: [], notes: [], crlsPem: [] };
  const { lists, problems } = readLists(text, file);
  if (problems.length > 0) return { problems, notes: [], crlsPem: [] };
  const isRequired = ({ pem }: BroughtCertificate, index: number): boolean =>
    index === 0 || index < chain.length - 1 || between.some((one) => one.pem === pem);
  const missing = chain
    .filter(isRequired)
    .flatMap((authority) => missingProblem(authority, { lists, file }));
  if (missing.length > 0) return { problems: missing, notes: [], crlsPem: [] };
  const used = lists.filter(({ list }) => chain.some((one) => isListOf(list, one)));
  return {
    problems: [],
    notes: [
      ...revokedNotes(chain, lists),
      ...lists
        .filter((one) => !used.includes(one))
        .map(({ place }) => `${place} is of no CA of the chain, and is left out`),
      ...used.flatMap(({ list, place }) => staleNotes(list, { place, now })),
    ],
    crlsPem: used.map(({ pem }) => pem),
  };
}

function readLists(
  text: string,
  file: string,
): { readonly lists: readonly BroughtList[]; readonly problems: readonly string[] } {
  const lists: BroughtList[] = [];
  const problems: string[] = [];
  try {
    const blocks = pemBlocks(text).filter(({ label }) => label === LABEL);
    if (blocks.length === 0)
      problems.push(
        `${file} holds no revocation list: expected a block that begins with -----BEGIN ${LABEL}-----`,
      );
    if (blocks.length > MAX_LISTS)
      return {
        lists,
        problems: [`${file} holds ${blocks.length} lists: at most ${MAX_LISTS} are read`],
      };
    blocks.forEach(({ text: pem }, index) => {
      const place = blocks.length === 1 ? file : `${file} (list ${index + 1} of ${blocks.length})`;
      try {
        lists.push({ pem, place, list: parseRevocationList(pem) });
      } catch (error) {
        problems.push(`${place} is refused: ${describeError(error)}`);
      }
    });
  } catch (error) {
    problems.push(`${file} is not PEM: ${describeError(error)}`);
  }
  return { lists, problems };
}

function missingProblem(
  authority: BroughtCertificate,
  { lists, file }: { readonly lists: readonly BroughtList[]; readonly file: string },
): readonly string[] {
  const problems = lists.map(({ list }) => problemOf(list, authority));
  if (problems.includes(undefined)) return [];
  const index = problems.findIndex((problem) => problem !== OTHER_ISSUER);
  const found = lists[index];
  const detail = found === undefined ? "there is none" : `${found.place} ${problems[index]}`;
  return [
    `${file} must hold a list that ${authority.place} signed, since every CA of the chain needs one: ${detail}`,
  ];
}

function problemOf(list: RevocationList, { certificate }: BroughtCertificate): string | undefined {
  try {
    return revocationListProblem(list, certificate);
  } catch (error) {
    return describeError(error);
  }
}

function isListOf(list: RevocationList, authority: BroughtCertificate): boolean {
  return problemOf(list, authority) === undefined;
}

/** The lists are good, and peers shall have them: whether the authority may sign all the same is asked elsewhere. */
function revokedNotes(
  chain: readonly BroughtCertificate[],
  lists: readonly BroughtList[],
): readonly string[] {
  const parsed = lists.map(({ list }) => list);
  return chain.flatMap(({ certificate, place }, index) => {
    const above = chain[index + 1];
    const isIt = above !== undefined && isRevoked(certificate, parsed, above.certificate);
    return isIt ? [`${place} is revoked by ${above.place}`] : [];
  });
}

function staleNotes(
  { nextUpdate, thisUpdate }: RevocationList,
  { place, now }: { readonly place: string; readonly now: Date },
): readonly string[] {
  if (now < thisUpdate)
    return [`${place} is dated ${thisUpdate.toISOString()}, which is yet to come`];
  if (nextUpdate === undefined || now <= nextUpdate) return [];
  return [
    `${place} was due to be replaced at ${nextUpdate.toISOString()}; what it names stays revoked`,
  ];
}
