export const quantile = (values, q) => {
  const inOrder = [...values].sort((one, other) => one - other);
  return inOrder[Math.min(inOrder.length - 1, Math.floor(q * inOrder.length))];
};

/** How far the quartiles are apart, as a share of the lower. */
export const spread = (values) => quantile(values, 0.75) / quantile(values, 0.25) - 1;

/** What the hypervisor did not disturb; everything where it disturbed all of it. */
export function undisturbed(all) {
  const calm = all.filter(({ isCalm }) => isCalm);
  return calm.length > 0 ? calm : all;
}
