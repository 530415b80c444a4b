/** What a chart offers to choose from, none first. */
export const smoothingSteps = [0, 0.3, 0.6, 0.8, 0.9, 0.97] as const;

/**
 * Exponential moving average weighted by distance along x, without the pull towards zero at the start.
 *
 * Between two points the past keeps the share `amount ** (dx / unit)`. The unit is the mean spacing, but never
 * less than 1/300 of the width: evenly spaced short series get the usual average point by point, and a long
 * one looks equally smooth however many of its points are drawn.
 *
 * @param amount 0 (none) to below 1.
 * @returns a column of the same length; what is not finite stays as it is and the average goes on after it.
 */
export function smoothed(x: readonly number[], y: readonly number[], amount: number): number[] {
  if (amount <= 0 || x.length < 2) return [...y];
  const width = (x.at(-1) ?? 0) - (x[0] ?? 0);
  const unit = width / Math.min(x.length - 1, 300) || 1;
  let sum = 0;
  let weight = 0;
  let previous = x[0] ?? 0;
  return y.map((value, index) => {
    if (!Number.isFinite(value)) return value;
    const here = x[index] ?? previous;
    const kept = amount ** ((here - previous) / unit);
    sum = sum * kept + value;
    weight = weight * kept + 1;
    previous = here;
    return sum / weight;
  });
}
