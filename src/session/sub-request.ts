import { Request } from '../protocol/request.ts';

/** The part of a request that names some of its keys: the command's name, and each of `indices` with the `step - 1` arguments
 *  behind it, copied as they stand. Cost: O(bytes of the part). */
export function subRequest(request: Request, indices: readonly number[], step: number): Request {
  const part = new Request();
  part.argc = 1 + indices.length * step;
  if (part.bounds.length < part.argc * 2) part.bounds = new Int32Array(part.argc * 2);
  const head = `*${part.argc}\r\n`;
  const nameStart = request.buffer.indexOf(LF, request.start) + 1;
  let size = head.length + rawEnd(request, 0) - nameStart;
  for (const index of indices) size += rawEnd(request, index + step - 1) - rawEnd(request, index - 1);
  part.buffer = Buffer.allocUnsafe(size);
  part.end = size;
  let at = part.buffer.latin1Write(head, 0);
  let argument = 0;
  const copy = (from: number, index: number): void => {
    const shift = at - from;
    part.bounds[argument * 2] = request.argStart(index) + shift;
    part.bounds[argument * 2 + 1] = request.argEnd(index) + shift;
    argument++;
    at += request.buffer.copy(part.buffer, at, from, rawEnd(request, index));
  };
  copy(nameStart, 0);
  for (const index of indices) {
    for (let i = index; i < index + step; i++) copy(rawEnd(request, i - 1), i);
  }
  return part;
}

const LF = 0x0a;

/** Where the argument's line ends, its line break included. */
function rawEnd(request: Request, index: number): number {
  return request.argEnd(index) + 2;
}
