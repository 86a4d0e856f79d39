export function tuneCompiler(): void;
