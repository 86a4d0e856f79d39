/** Characters of JSON that are kept of a result; what is longer lies in the job's folder. */
export const RESULT_MOST = 256 * 1024;

/** A command's answer cut to what a row may hold: its largest members go first, and `leftOut` names them. */
export function boundedResult(answer: Record<string, unknown> | null): Record<string, unknown> | null {
  if (answer === null) return null;
  const sizes = Object.entries(answer).map(([key, value]) => ({
    key,
    size: JSON.stringify(value)?.length ?? 0,
  }));
  let total = sizes.reduce((sum, { key, size }) => sum + key.length + size + 4, 2);
  const leftOut: string[] = [];
  for (const { key, size } of sizes.toSorted((a, b) => b.size - a.size)) {
    if (total <= RESULT_MOST) break;
    leftOut.push(key);
    total -= size;
  }
  if (leftOut.length === 0) return answer;
  const kept = Object.entries(answer).filter(([key]) => !leftOut.includes(key));
  return { ...Object.fromEntries(kept), leftOut: leftOut.sort() };
}
