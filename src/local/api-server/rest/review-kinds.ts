/** Questions that a client asks about itself. Nothing of them is kept. */
import { isJsonObject } from "../kinds/json-access.ts";
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import { badRequest } from "../objects/refusals.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ApiRequest } from "./api-request.ts";
import { apiVersionOf } from "./kind-index.ts";
import { readObjectBody } from "./read-body.ts";

export interface ReviewKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly status: JsonObject;
}

const AUTHORIZATION = { group: "authorization.k8s.io", version: "v1" };

/** Who has the token may do everything: there are no other users. */
export const REVIEW_KINDS: readonly ReviewKind[] = [
  {
    ...AUTHORIZATION,
    kind: "SelfSubjectAccessReview",
    plural: "selfsubjectaccessreviews",
    singular: "selfsubjectaccessreview",
    status: { allowed: true, reason: "whoever has the token may do everything" },
  },
  {
    ...AUTHORIZATION,
    kind: "SelfSubjectRulesReview",
    plural: "selfsubjectrulesreviews",
    singular: "selfsubjectrulesreview",
    status: {
      resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
      nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
      incomplete: false,
    },
  },
  {
    group: "authentication.k8s.io",
    version: "v1",
    kind: "SelfSubjectReview",
    plural: "selfsubjectreviews",
    singular: "selfsubjectreview",
    status: { userInfo: { username: "hauberk:owner", groups: ["system:masters"] } },
  },
];

/** @returns undefined where the request is none @throws StatusError 400 */
export async function reviewAnswer(request: ApiRequest): Promise<ApiAnswer | undefined> {
  const [root, group, version, plural, ...rest] = request.path;
  if (root !== "apis" || rest.length > 0 || request.method !== "POST") return undefined;
  const review = REVIEW_KINDS.find(
    (one) => one.group === group && one.version === version && one.plural === plural,
  );
  if (review === undefined) return undefined;
  // The answer is the same whatever is asked, so that nobody has to read the question in protobuf.
  const body = (await readObjectBody(request, () => ({}))) ?? {};
  const { spec = {} } = body;
  if (!isJsonObject(spec)) throw badRequest("spec is not an object");
  const { kind, status } = review;
  const apiVersion = apiVersionOf(review.group, review.version);
  const metadata = { creationTimestamp: null };
  return value({ kind, apiVersion, metadata, spec, status }, { status: 201 });
}
