/** The gate or limit that cut an idea first: what stands before the first colon of its reason. */
export function cutBy(reason: string | null): string | null {
  const colon = reason?.indexOf(':') ?? -1;
  return colon > 0 ? reason!.slice(0, colon) : null;
}
