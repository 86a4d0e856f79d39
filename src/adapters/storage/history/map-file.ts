import { createRequire } from 'node:module';
import { type SharedWasmMemory, sharedWasmMemory, WASM_BYTES_MOST } from '#base';

/**
 * Maps the first `bytes` of an open file into memory that threads share. Null where that cannot be had: the file is then
 * to be read.
 */
export type MapFile = (fd: number, bytes: number) => SharedWasmMemory | null;

/** What is used of https://koffi.dev, which need not be installed. */
interface Koffi {
  readonly address: (value: Uint8Array) => bigint;
  readonly load: (library: null) => { readonly func: (prototype: string) => Mmap };
}

type Mmap = (
  address: Uint8Array,
  bytes: number,
  protection: number,
  flags: number,
  fd: number,
  offset: number,
) => number | bigint;

/** The same on Linux and macOS. */
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_PRIVATE_FIXED = 0x02 | 0x10;
const MAP_FAILED = -1;
/** No system has larger pages, and a memory of WebAssembly begins on one of this size. */
const PAGE_MOST = 65_536n;

/**
 * Mappings that a thread may have at a time: each takes ten gigabytes of addresses, whatever its size, and a process has
 * about twelve thousand times that.
 */
const MAPPINGS_MOST = 1024;
let mappings = 0;
const takenDown = new FinalizationRegistry<null>(() => {
  mappings--;
});

/** Memories that could not be mapped onto. Parts of them may be gone already, so they must never be given back. */
const spoilt: SharedWasmMemory[] = [];
/** Undefined until it is first wanted; null where it cannot be had. */
let system: { readonly koffi: Koffi; readonly mmap: Mmap } | null | undefined;

function loadSystem(): typeof system {
  const { platform, arch } = process;
  if ((platform !== 'linux' && platform !== 'darwin') || (arch !== 'x64' && arch !== 'arm64')) return null;
  try {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    const prototype = 'intptr_t mmap(void *, size_t, int, int, int, int64_t)';
    return { koffi, mmap: koffi.load(null).func(prototype) };
  } catch {
    // not installed, none for this machine, or native code is not allowed here (node --permission)
    return null;
  }
}

/**
 * {@link MapFile} by mmap(2), onto the pages of a memory of WebAssembly. That makes the mapping an ordinary
 * SharedArrayBuffer: it is posted to threads without a copy, and the engine takes it down when no thread holds it any
 * more. Pages are private: what is written into them by mistake never reaches the file, and does not end the process.
 */
export const mapFile: MapFile = (fd, bytes) => {
  if (system === undefined) system = loadSystem();
  if (system === null || system === undefined || mappings >= MAPPINGS_MOST) return null;
  if (bytes <= 0 || bytes >= WASM_BYTES_MOST) return null;
  const memory = memoryOf(bytes);
  if (memory === null) return null;
  const place = new Uint8Array(memory.buffer);
  if (system.koffi.address(place) % PAGE_MOST !== 0n) return null;
  const at = system.mmap(place, bytes, PROT_READ_WRITE, MAP_PRIVATE_FIXED, fd, 0);
  if (Number(at) !== MAP_FAILED) {
    mappings++;
    takenDown.register(memory.buffer, null);
    return memory;
  }
  // whoever fails once fails again, and each time keeps a range of addresses
  spoilt.push(memory);
  system = null;
  return null;
};

/** Null when the process has no more addresses. */
function memoryOf(bytes: number): SharedWasmMemory | null {
  try {
    return sharedWasmMemory(bytes);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
