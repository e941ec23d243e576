import { residentBytes } from './process-usage.ts';

/** Resident memory of this process now. Units: bytes. */
export function ownResidentBytes(): number {
  try {
    return residentBytes(process.pid);
  } catch {
    // There is no /proc outside of Linux.
    return process.memoryUsage.rss();
  }
}
