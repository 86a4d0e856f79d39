export function serveOwnEntries(base: URL, extension: string): void;
