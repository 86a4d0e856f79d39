/** The part of jstat that the tests measure our own functions against; it ships no types. */
declare module 'jstat' {
  interface Distribution {
    cdf(x: number, a: number, b: number): number;
    inv(p: number, a: number, b: number): number;
  }
  const jstat: { readonly normal: Distribution; readonly beta: Distribution };
  export default jstat;
}
