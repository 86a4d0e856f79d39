import { InputError } from '#base';
import type { JournalFault } from '#engine';

/** The journal's bytes are not what was written, or promised entries are missing. */
export class JournalDamage extends InputError {
  override name = 'JournalDamage';
  readonly path: string;
  readonly fault: JournalFault;
  constructor(path: string, fault: JournalFault) {
    super(
      `${path} is damaged at byte ${fault.offset} (block ${fault.block}, entry ${fault.entry}): ${fault.what}`,
      'restore the directory from a backup; everything before that entry is intact and can be read',
    );
    this.path = path;
    this.fault = fault;
  }
}

/** The disk refused a write or a sync. What was acknowledged before is safe; nothing after it is promised. */
export class StorageFailed extends Error {
  override name = 'StorageFailed';
}
