/** How pods are called after their owners. Pure. */

/** After the name of a pod of a Deployment in its second turn; no first name ends so. */
export const SECOND_TURN = "-b";

/** After the index, where an owner of another kind has the same name. */
export const OF_DEPLOYMENT = "-deployment";
export const OF_JOB = "-job";

const AFTER_OWNER = new RegExp(`^-\\d+(${OF_DEPLOYMENT}|${OF_JOB})?(${SECOND_TURN})?$`);

/**
 * Of a pod that has ended, nothing but its name is left: what is known of a running one is to be asked first.
 *
 * @returns whether a pod of this name can be, or have been, one of `owner`
 */
export function canBePodOf(owner: string, name: string): boolean {
  return name.startsWith(owner) && AFTER_OWNER.test(name.slice(owner.length));
}
