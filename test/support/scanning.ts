import { NOT_RESP, ReplyScanner, UNFINISHED } from '../../src/protocol/reply-scanner.ts';

/** One frame as the scanner cut it: latin1 bytes, type as a char. */
export interface Scanned {
  frame: string;
  type: string;
  hasResp3: boolean;
}
export type ScanResult = Scanned | { error: string };

/** Bytes beyond `end` that would change the result if they were read. */
const JUNK = Buffer.from('\n\r\n$1\r\nx\r\n');

/** Feed a scanner with these chunks, each at another place of a buffer of its own, until they end or are in error. */
export function scanChunks(chunks: readonly Buffer[]): ScanResult[] {
  const scanner = new ReplyScanner();
  const results: ScanResult[] = [];
  let frame = '';
  for (const [index, chunk] of chunks.entries()) {
    const start = index % 5;
    const buffer = Buffer.concat([JUNK.subarray(0, start), chunk, JUNK]);
    const end = start + chunk.length;
    for (let at = start; at < end; ) {
      const next = scanner.next(buffer, at, end);
      if (next === NOT_RESP) return [...results, { error: scanner.error }];
      if (next > end) throw new Error('the frame ends beyond what has arrived');
      frame += buffer.toString('latin1', at, next === UNFINISHED ? end : next);
      if (next === UNFINISHED) break;
      results.push({ frame, type: String.fromCharCode(scanner.type), hasResp3: scanner.hasResp3 });
      frame = '';
      at = next;
    }
  }
  return results;
}
