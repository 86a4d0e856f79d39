declare const brand: unique symbol;

/** A nominal type: `Brand<string, 'InstrumentId'>` is a string that only its own room may make. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
