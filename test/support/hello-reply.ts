/** What Redis answers to HELLO 3, in RESP3. */
export function helloReply(fields: { id?: number; role?: string; version?: string }): string {
  const { id = 7, role = 'master', version = '7.0.15' } = fields;
  return (
    `%7\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$${version.length}\r\n${version}\r\n$5\r\nproto\r\n:3\r\n` +
    `$2\r\nid\r\n:${id}\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$${role.length}\r\n${role}\r\n` +
    '$7\r\nmodules\r\n*0\r\n'
  );
}
