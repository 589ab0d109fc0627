/**
 * @param {number[]} values
 * @param {number} q - 0.5 for the median
 * @returns {number} NaN if there are no values
 */
export const quantile = (values, q) => {
  const inOrder = [...values].sort((one, other) => one - other);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(q * inOrder.length))] ?? NaN;
};

/**
 * The distance between the quartiles, as a share of the lower one.
 *
 * @param {number[]} values
 */
export const spread = (values) => quantile(values, 0.75) / quantile(values, 0.25) - 1;

/**
 * The measurements that the hypervisor did not disturb, or all of them if it disturbed all.
 *
 * @template {{ isCalm: boolean }} T
 * @param {T[]} all
 */
export function undisturbed(all) {
  const calm = all.filter(({ isCalm }) => isCalm);
  return calm.length > 0 ? calm : all;
}
