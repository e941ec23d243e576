/** A copy of source[start, end). Cheaper than `Buffer.from(source.subarray(start, end))`, which makes two buffers. */
export function copyOf(source: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  source.copy(copy, 0, start, end);
  return copy;
}
