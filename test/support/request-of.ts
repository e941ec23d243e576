import { Request } from '../../src/protocol/request.ts';

/** A decoded request for these arguments; a string stands for one byte a char. */
export function requestOf(...args: readonly (string | Buffer)[]): Request {
  const request = new Request();
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  request.bounds = new Int32Array(args.length * 2);
  let length = (parts[0] as Buffer).length;
  args.forEach((arg, i) => {
    const bytes = typeof arg === 'string' ? Buffer.from(arg, 'latin1') : arg;
    const header = Buffer.from(`$${bytes.length}\r\n`);
    request.bounds[i * 2] = length + header.length;
    request.bounds[i * 2 + 1] = length + header.length + bytes.length;
    length += header.length + bytes.length + 2;
    parts.push(header, bytes, Buffer.from('\r\n'));
  });
  // Something before the request, so that a position taken for an offset is noticed.
  request.buffer = Buffer.concat([Buffer.from('+before\r\n'), ...parts]);
  request.start = '+before\r\n'.length;
  request.end = request.buffer.length;
  request.argc = args.length;
  return request;
}
