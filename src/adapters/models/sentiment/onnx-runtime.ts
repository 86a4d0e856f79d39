import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InputError } from '#base';

/** The part of `onnxruntime-node` that is used. */
export interface OnnxRuntime {
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => OnnxTensor;
  readonly InferenceSession: {
    create(path: string, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>;
  };
}

export interface OnnxTensor {
  readonly dims: readonly number[];
  readonly data: unknown;
}

export interface OnnxSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, OnnxTensor>>): Promise<Readonly<Record<string, OnnxTensor>>>;
  release(): Promise<void>;
}

const PACKAGE = 'onnxruntime-node';

/**
 * Loads the runtime of ONNX models: the program's own, or the one installed in the folder it runs in. It is large and needed
 * for nothing else, so it is no dependency of the program. Throws {@link InputError} saying how to install it.
 */
export async function loadOnnxRuntime(folder = process.cwd(), name = PACKAGE): Promise<OnnxRuntime> {
  const found = await imported(name);
  if (found !== null) return found;
  const local = await localCopy(folder, name);
  if (local !== null) return local;
  throw new InputError(
    `FinBERT needs the package ${name}, which is not installed`,
    `npm install --ignore-scripts ${name} (with -g where quorum was installed with -g), or choose the scorer "lexicon"`,
  );
}

async function imported(specifier: string): Promise<OnnxRuntime | null> {
  try {
    const module = (await import(specifier)) as OnnxRuntime & { default?: OnnxRuntime };
    return module.InferenceSession === undefined ? (module.default ?? null) : module;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw new InputError(
      `the package ${PACKAGE} cannot be loaded: ${(cause as Error).message.split('\n')[0]}`,
      'install it again for this machine and this version of Node, or choose the scorer "lexicon"',
    );
  }
}

async function localCopy(folder: string, name: string): Promise<OnnxRuntime | null> {
  let path: string;
  try {
    path = createRequire(join(folder, 'index.js')).resolve(name);
  } catch {
    return null;
  }
  return imported(pathToFileURL(path).href);
}
